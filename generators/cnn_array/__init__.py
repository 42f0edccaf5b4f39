"""An array of functional units after Microsoft's Catapult CNN accelerator."""

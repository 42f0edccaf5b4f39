"""Write `golden.npz`: what TensorFlow Lite Micro's reference kernels answer to every held-out image.

Run by hand after train.py (`make goldens`); needs the test dependency `tflite_micro`.
"""

from pathlib import Path

import numpy as np
from tflite_micro.python.tflite_micro import runtime

FOLDER = Path(__file__).parent


def main() -> None:
    """Run the reference interpreter on each image and write its int8 logits (N x 10)."""
    interpreter = runtime.Interpreter.from_file(str(FOLDER / "digits.tflite"))
    with np.load(FOLDER / "test_images.npz") as held_out:
        images, labels = held_out["images"], held_out["labels"]
    logits = []
    for image in images:
        interpreter.set_input(image[np.newaxis], 0)
        interpreter.invoke()
        logits.append(np.array(interpreter.get_output(0)[0]))
    logits = np.stack(logits)
    np.savez_compressed(FOLDER / "golden.npz", logits=logits)
    right = np.argmax(logits, axis=1) == labels
    print(f"int8 accuracy on {len(labels)} held-out images: {right.mean():.2%}")


if __name__ == "__main__":
    main()

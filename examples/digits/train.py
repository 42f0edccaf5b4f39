"""Train the digits network and write it as a full-int8 TFLite file, with its held-out test images.

Neither the demo nor the tests run this: `digits.tflite` and `test_images.npz` are committed. To make them again,
in a virtual environment of its own (about two minutes on two cores):

    pip install -r examples/digits/requirements-train.txt
    python examples/digits/train.py
    make goldens

The data are scikit-learn's bundled handwritten digits: 1,797 real images of 8x8 pixels with 17 grey levels, from
the UCI "Optical Recognition of Handwritten Digits" test set. One image in five is held out, stratified by digit.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tensorflow import keras

FOLDER = Path(__file__).parent
SEED = 2024
EPOCHS = 60
BATCH = 32
BRIGHTEST = 16.0  # the data set's grey levels are 0..16; the network sees 0..1


def load_split() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return training images, held-out images (float32, N x 8 x 8 x 1, 0..1), then their labels (0..9)."""
    images, labels = load_digits(return_X_y=True)
    images = (images / BRIGHTEST).astype(np.float32).reshape(-1, 8, 8, 1)
    return train_test_split(images, labels, test_size=0.2, stratify=labels, random_state=SEED)


def build_network() -> keras.Model:
    """Build the network: two convolutions, one depthwise-separable block, global mean, one dense layer of logits."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(16, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2D(32, 3, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.DepthwiseConv2D(3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2D(48, 1, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.2),
            layers.Dense(10),
        ]
    )


def train(network: keras.Model, images: np.ndarray, labels: np.ndarray) -> None:
    """Fit the network to the images, each shifted, turned and scaled a little at random in every epoch."""
    augment = keras.Sequential(
        [
            keras.layers.RandomTranslation(0.1, 0.1, fill_mode="constant", seed=SEED),
            keras.layers.RandomRotation(0.03, fill_mode="constant", seed=SEED + 1),
            keras.layers.RandomZoom(0.1, fill_mode="constant", seed=SEED + 2),
        ]
    )
    pairs = tf.data.Dataset.from_tensor_slices((images, labels))
    pairs = pairs.shuffle(len(images), seed=SEED).batch(BATCH)
    pairs = pairs.map(lambda image, label: (augment(image, training=True), label), deterministic=True)
    steps = EPOCHS * -(-len(images) // BATCH)
    network.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, steps)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    network.fit(pairs, epochs=EPOCHS, verbose=2)


def quantise(network: keras.Model, images: np.ndarray) -> bytes:
    """Convert the network to TFLite with int8 weights, activations, input and output; batch size 1."""
    with TemporaryDirectory() as saved:
        signature = [keras.InputSpec(dtype="float32", shape=(1, 8, 8, 1), name="image")]
        network.export(saved, input_signature=signature, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(saved)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([image[np.newaxis]] for image in images)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
        return converter.convert()


def quantise_images(model: bytes, images: np.ndarray) -> np.ndarray:
    """Turn images of 0..1 into the int8 numbers that the model's input stands for."""
    interpreter = tf.lite.Interpreter(model_content=model)
    scale, zero_point = interpreter.get_input_details()[0]["quantization"]
    return np.clip(np.round(images / scale) + zero_point, -128, 127).astype(np.int8)


def main() -> None:
    """Train, quantise, and write the model and the held-out images beside this file."""
    keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    train_images, test_images, train_labels, test_labels = load_split()
    network = build_network()
    train(network, train_images, train_labels)
    right = np.argmax(network.predict(test_images, verbose=0), axis=1) == test_labels
    print(f"float accuracy on {len(test_labels)} held-out images: {right.mean():.2%}")
    model = quantise(network, train_images)
    (FOLDER / "digits.tflite").write_bytes(model)
    np.savez_compressed(
        FOLDER / "test_images.npz",
        images=quantise_images(model, test_images),
        labels=test_labels.astype(np.uint8),
    )


if __name__ == "__main__":
    main()

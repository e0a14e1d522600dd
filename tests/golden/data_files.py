"""Writes the small files in data/ beside this script, as the tools that people use write them.

    pip install numpy pyarrow pillow
    python tests/golden/data_files.py

tests/it/data_formats.rs reads them and needs no Python.
"""
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")
os.makedirs(folder, exist_ok=True)


def place(name):
    return os.path.join(folder, name)


rows = 12
table = pa.table(
    {
        "size": pa.array([None if i == 3 else i / 2 for i in range(rows)], pa.float64()),
        "count": pa.array(range(rows), pa.int32()),
        "island": ["north" if i % 3 else "south" for i in range(rows)],
        "species": ["cat" if i % 2 else "dog" for i in range(rows)],
    }
)
pq.write_table(table, place("table.parquet"), compression="snappy")

x = np.arange(rows * 2 * 3, dtype=np.float32).reshape(rows, 2, 3)
y = np.arange(rows) % 2
np.savez_compressed(place("arrays.npz"), x_train=x, y_train=y, x_test=x[:4], y_test=y[:4])

pixels = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3) * 3
Image.fromarray(pixels).save(place("picture.png"))
Image.fromarray(np.full((4, 6, 3), 100, np.uint8)).save(place("picture.jpg"), quality=95)

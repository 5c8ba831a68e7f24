"""What a submission's code may import and do without a remark, as data."""

from __future__ import annotations

import sys

STANDARD = frozenset(sys.stdlib_module_names) | {"distutils"}
"""Modules of the standard library. distutils left it in 3.12 and is only found in old version tests."""

PACKAGES = frozenset(
    {
        "torch",
        "numpy",
        "sentencepiece",
        "triton",
        "flash_attn",
        "flash_attn_interface",
        "flash_attn_3",
        "brotli",
        "zstandard",
        "zstd",
        "einops",
        "transformer_engine",
        "cuda",
        "cutlass",
    }
)
"""Packages that merged records import: challenge README FAQ (packages are allowed unless they add compute, capabilities or
code). Anything else is worth a look."""

DOWNLOADERS = frozenset(
    {"requests", "urllib3", "httpx", "aiohttp", "huggingface_hub", "datasets", "gdown", "boto3", "wandb", "kaggle"}
)
"""Packages whose purpose is the network."""

NETWORK_CALLS = frozenset(
    {
        "urllib.request.urlopen",
        "urllib.request.urlretrieve",
        "huggingface_hub.snapshot_download",
        "huggingface_hub.hf_hub_download",
        "torch.hub.load",
        "torch.hub.download_url_to_file",
        "torch.hub.load_state_dict_from_url",
        "datasets.load_dataset",
        "socket.create_connection",
        "http.client.HTTPSConnection",
        "http.client.HTTPConnection",
        "wandb.init",
    }
    | {f"{package}.{verb}" for package in ("requests", "httpx") for verb in ("get", "post", "request")}
    | {"requests.Session", "httpx.Client", "httpx.AsyncClient"}
)
INSTALLERS = frozenset({"pip", "pip3", "apt", "apt-get", "conda", "uv", "npm", "cargo", "wget", "curl", "git"})
HARMLESS = frozenset({"nvidia-smi"})
"""Programs that merged records start to print the machine; the public baseline does."""

DATA_SUFFIXES = (".model", ".vocab", ".bin", ".pt", ".pth", ".npy", ".npz", ".ptz", ".json", ".xz", ".lrz", ".so", ".c")

READERS = frozenset(
    {
        "open",
        "io.open",
        "os.open",
        "numpy.load",
        "numpy.fromfile",
        "numpy.memmap",
        "torch.load",
        "ctypes.CDLL",
        "torch.ops.load_library",
    }
)
HELPER_SUFFIXES = (".py", ".c", ".h", ".cc", ".cpp", ".cu", ".cuh", ".rs", ".go", ".js", ".so", ".pyx", ".ipynb")
"""Code beside the entry script."""

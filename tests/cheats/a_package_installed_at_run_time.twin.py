import subprocess


def prepare():
    return subprocess.run(["nvidia-smi"], capture_output=True, text=True).stdout

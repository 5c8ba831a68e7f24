import subprocess
import sys


def prepare():
    subprocess.check_call([sys.executable, "-m", "pip", "install", "some-scorer"])

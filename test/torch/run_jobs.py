"""Runs several jobs one after the other in the same processes, so that PyTorch is loaded once.

    torchrun --nproc-per-node 4 test/torch/run_jobs.py a/launch.json b/launch.json ...

Each job's events go to `events` beside its launch file. MEDITRON_TEST_FILE_BYTES cuts saved models into small files.
"""

import os
import sys
import traceback
from contextlib import redirect_stdout
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "worker"))

import train  # noqa: E402
import weights  # noqa: E402

weights.FILE_BYTES = int(os.environ.get("MEDITRON_TEST_FILE_BYTES", weights.FILE_BYTES))

status = 0
try:
    for launch in sys.argv[1:]:
        with open(Path(launch).with_name("events"), "a") as events, redirect_stdout(events):
            train.main(launch)
except BaseException:
    traceback.print_exc()
    status = 1
sys.stdout.flush()
sys.stderr.flush()
os._exit(status)

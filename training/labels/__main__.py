"""The training archives to labels in one command: `python -m training.labels`.

Runs, in order: training.data.pack (pictures to arrays), training.labels.teacher (10 to 20 minutes on two cores),
training.labels.assemble (correction, fits, quality; 4 minutes) and training.labels.contact_sheet. Each runs alone, too.
"""

import subprocess
import sys

STEPS = (
    ("training.data.pack",),
    ("training.labels.teacher",),
    ("training.labels.assemble",),
    ("training.labels.contact_sheet", "--set", "singles", "--out", ".work/contact_sheet_singles.png"),
    ("training.labels.contact_sheet", "--set", "groups", "--out", ".work/contact_sheet_groups.png"),
)

for step in STEPS:
    print("python -m", *step, flush=True)
    subprocess.run([sys.executable, "-m", *step], check=True)

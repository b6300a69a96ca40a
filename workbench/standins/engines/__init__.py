"""Speech engines that need no key and no network: their weights lie inside installed wheels."""

import os

# Newer onnxruntime releases write telemetry below $HOME unless this stands before their import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

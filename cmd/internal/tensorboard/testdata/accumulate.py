"""Prints, as JSON, what TensorBoard's EventAccumulator finds in a folder of event files:

{"scalars": {tag: [[step, value], ...]}, "images": {tag: [[step, width, height, SHA-256], ...]}}

Values are text, because JSON has no infinity.
"""

import hashlib
import json
import sys

from tensorboard.backend.event_processing import event_accumulator

a = event_accumulator.EventAccumulator(
    sys.argv[1], size_guidance=event_accumulator.STORE_EVERYTHING_SIZE_GUIDANCE
)
a.Reload()
tags = a.Tags()
json.dump(
    {
        "scalars": {
            tag: [[e.step, repr(float(e.value))] for e in a.Scalars(tag)]
            for tag in tags["scalars"]
        },
        "images": {
            tag: [
                [e.step, e.width, e.height, hashlib.sha256(e.encoded_image_string).hexdigest()]
                for e in a.Images(tag)
            ]
            for tag in tags["images"]
        },
    },
    sys.stdout,
)

"""Loss spikes by a robust z-score, as src/train/spikes.ts: z = (x - median) / (1.4826 · MAD) over the last accepted steps."""

import math
import statistics

MIN_HISTORY = 16
MAD_TO_DEVIATION = 1.4826
MIN_DEVIATION_FRACTION = 0.01


class SpikeDetector:
    def __init__(self, window: int, history: dict[str, list[float]] | None = None):
        self.window = window
        self.history = {kind: list((history or {}).get(kind, [])) for kind in ("loss", "gradNorm")}

    def score(self, loss: float, grad_norm: float) -> float:
        """The larger z-score of the two; infinite when either is not a number, 0 while there is too little history."""
        if not (math.isfinite(loss) and math.isfinite(grad_norm)):
            return math.inf
        return max(robust_z_score(loss, self.history["loss"]), robust_z_score(grad_norm, self.history["gradNorm"]))

    def accept(self, loss: float, grad_norm: float) -> None:
        for kind, value in (("loss", loss), ("gradNorm", grad_norm)):
            self.history[kind] = [*self.history[kind], value][-self.window :]


def robust_z_score(value: float, history: list[float]) -> float:
    if len(history) < MIN_HISTORY:
        return 0.0
    center = statistics.median(history)
    spread = statistics.median(abs(x - center) for x in history) * MAD_TO_DEVIATION
    return (value - center) / max(spread, MIN_DEVIATION_FRACTION * abs(center), 5e-324)

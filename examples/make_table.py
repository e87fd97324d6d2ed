"""Makes ferries.csv: four years of an invented harbour, month by month, with a season, a trend and some noise.

python examples/make_table.py [FOLDER]
"""

from __future__ import annotations

import math
import random
import sys
from pathlib import Path

HEAD = "month,passengers,storms"


def rows() -> list[str]:
    """A line for each month of 2022 to 2025."""
    noise = random.Random(1)
    lines = []
    for number in range(48):
        summer = math.cos((number % 12 - 6.5) * math.pi / 6)
        passengers = round(5200 + 12 * number + 3100 * summer + noise.gauss(0, 150))
        storms = max(0, round(3 - 3 * summer + noise.gauss(0, 1)))
        lines.append(f"{2022 + number // 12}-{number % 12 + 1:02d}-01,{passengers},{storms}")
    return lines


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    (folder / "ferries.csv").write_text("\n".join([HEAD, *rows()]) + "\n", encoding="utf-8")

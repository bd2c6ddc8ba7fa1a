"""Write a sample city: python data-samples/generate.py --people 10000 --seed 1 --out data-samples/luan."""

import argparse
from pathlib import Path

from rich.progress import Progress
from sample_city import write_city


def main() -> None:
    """Read the command line, write the city, show how far it is."""
    parser = argparse.ArgumentParser(description="Write a sample city / 生成示例城市")
    parser.add_argument("--people", type=int, default=10_000, help="from 1 to 10 000 000 / 人口数")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another city / 随机种子")
    parser.add_argument("--out", type=Path, required=True, help="folder to write into / 输出目录")
    asked = parser.parse_args()
    with Progress() as bar:
        tasks = {name: bar.add_task(name, total=None) for name in ("survey", "districts")}
        manifest = write_city(
            asked.out,
            asked.people,
            asked.seed,
            lambda what, done, of: bar.update(tasks[what], completed=done, total=of),
        )
    for record in manifest.files:
        print(f"{record.rows:>10}  {record.file:<26} {record.title[1]}")


if __name__ == "__main__":
    main()

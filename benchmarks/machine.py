"""Where figures come from: a figure without its machine and versions says nothing."""

import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import vision

PACKAGES = ("mlx", "mlx-lm", "transformers")


@dataclass(frozen=True)
class Machine:
    """Processor, system, versions, BLAS, the last minute's load (our own included), and the command."""

    processor: str
    cores: int
    system: str
    python: str
    versions: str
    blas: str
    load: float
    date: str
    command: str

    @classmethod
    def this(cls) -> "Machine":
        return cls(
            processor=_processor(),
            cores=os.cpu_count() or 1,
            system=f"{platform.system()} {platform.machine()}",
            python=platform.python_version(),
            versions=", ".join(f"{name} {_version(name)}" for name in PACKAGES),
            blas=_blas(),
            load=os.getloadavg()[0],
            date=datetime.now(UTC).strftime("%Y-%m-%d"),
            command=" ".join(["python", "-m", f"benchmarks.{Path(sys.argv[0]).stem}", *sys.argv[1:]]),
        )

    @property
    def line(self) -> str:
        return (
            f"`{self.command}` on {self.date}: {self.processor}, {self.cores} cores, {self.system}, "
            f"Python {self.python}, {self.versions}, BLAS {self.blas}, load {self.load:.1f}."
        )


def _blas() -> str:
    if not vision.BLAS.needed or not vision.BLAS.fast:
        return "MLX's own"
    threads = os.environ.get("OPENBLAS_NUM_THREADS")
    return f"{vision.BLAS.library} with {threads} thread(s)" if threads else str(vision.BLAS.library)


def _processor() -> str:
    if sys.platform == "darwin":
        asked = subprocess.run(
            ["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False
        )
        return asked.stdout.strip() or platform.processor()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"

"""The command line starts without loading what it does not need."""

import subprocess
import sys

HEAVY = (
    "rich",
    "yaml",
    "msgspec",
    "asyncio",
    "httptools",
    "httpx2",
    "isthmus.config",
    "isthmus.app",
)


def test_help_loads_no_command_and_nothing_that_a_command_needs() -> None:
    code = (
        "import sys\nfrom isthmus.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print('LOADED', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.rpartition("LOADED")[2].split()
    assert "click" in loaded
    assert not [name for name in HEAVY if name in loaded]
    assert not [name for name in loaded if name.startswith("isthmus.cli.commands")]
    assert "Usage" in done.stdout


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "isthmus", "version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("isthmus ")

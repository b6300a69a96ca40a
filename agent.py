"""Starts the program: `python agent.py --help` lists the commands."""

# Every job process imports this file once more, under another name, so nothing else may stand here.
if __name__ == "__main__":
    import sys

    if sys.version_info < (3, 11):  # noqa: UP036  whoever has an older one is to be told
        raise SystemExit("Python 3.11 or newer is needed, and this is Python " + sys.version)
    try:
        from agent.cli import main

        main()
    except KeyboardInterrupt:  # before the command itself could listen for it
        raise SystemExit(130) from None
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(("agent", "config", "stt_assemblyai")):
            raise
        raise SystemExit(
            f"This Python ({sys.executable}) lacks the package {error.name}. Type "
            "`. .venv/bin/activate` where `make` has installed everything, or "
            "`pip install -r requirements/worker.lock`."
        ) from None

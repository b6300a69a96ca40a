"""Starts the program: `python agent.py --help` lists the commands."""

# Every job process imports this file once more, under another name, so nothing else may stand here.
if __name__ == "__main__":
    try:
        from agent.cli import main

        main()
    except KeyboardInterrupt:  # before the command itself could listen for it
        raise SystemExit(130) from None

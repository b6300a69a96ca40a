"""Starts the program: `python agent.py --help` lists the commands."""

# Every job process imports this file once more, under another name, so nothing else may stand here.
if __name__ == "__main__":
    from agent.cli import main

    main()

"""`python -m stt_assemblyai FILE`: transcribes a file or standard input."""

from stt_assemblyai.cli.main import main

if __name__ == "__main__":
    main()

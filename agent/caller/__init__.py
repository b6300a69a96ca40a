"""A caller over WebRTC, as `python agent.py call` and the workbench use it: speaks and hears."""

"""Local stand-ins for AssemblyAI and OpenAI. They share no code with what they are there to test.

In a test: `async with AssemblyAIStandIn() as stand_in: ...`.
As a program: `python -m workbench.standins`.
"""

"""Callers over several workers, and faults at random moments: is anybody lost?"""

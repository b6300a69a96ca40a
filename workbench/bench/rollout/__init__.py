"""A new version takes over from the old one while callers talk: what do they notice?"""

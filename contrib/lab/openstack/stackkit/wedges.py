"""later"""
ALL = {}
STEPS = {"delete": lambda s, u: s.delete(u)}

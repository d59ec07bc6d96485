"""The index over HTTP: a versioned REST interface and one page, for a browser on this machine.

`guard.py` decides who may ask, `library.py` holds the index and follows its builds, `finding.py`
turns requests into answers, `routes.py` names them, `downloads.py` names the files that are made
when asked for, `static/` is the page. How a query is answered stays in `unify.engine`; nothing here
knows it. Needs the extra `serve`.
"""

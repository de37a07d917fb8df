"""A coordinator that never rests: rpcload.py SOCKET PARAMS-FILE STOP-FILE

Asks for the same signature over one connection, over and over, until the
file STOP-FILE is there.  Prints how many answers had signatures and how many
did not, with the first of those.
"""
import json
import os
import sys
import time

from rpcclient import Signer

socket, params, stop = sys.argv[1:]
params = open(params, encoding="utf-8").read()
signer = Signer(socket)
answered = failed = 0
first = None
while not os.path.exists(stop):
    try:
        answer = signer.call_raw("pskt.sign", params)
        good = bool(answer["result"]["signatures"])
    except Exception as e:
        answer = answer if isinstance(e, KeyError) else repr(e)
        good = False
    answered += good
    failed += not good
    if not good and first is None:
        first = str(answer)
    time.sleep(0.005)
print(json.dumps({"answered": answered, "failed": failed, "first": first}))

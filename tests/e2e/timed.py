"""timed.py SOCKET PARAMS: signs five times; the codes, and how many ms the slowest took."""
import sys, time
from rpcclient import Signer, dump, parse
params = dump(parse(open(sys.argv[2]).read()))
signer = Signer(sys.argv[1])
worst, codes = 0, set()
for i in range(5):
    start = time.monotonic()
    answer = signer.call_raw("pskt.sign", params)
    worst = max(worst, time.monotonic() - start)
    codes.add(answer["error"]["data"]["code"] if "error" in answer else "signed")
print(" ".join(sorted(codes)), int(worst * 1000))

"""JSON-RPC to a signer's Unix socket, for tests."""
import http.client
import json
import socket


class Number(str):
    """A JSON number as it was written, so that no spelling is lost."""


class _Connection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Signer:
    def __init__(self, path, timeout=30):
        self._conn = _Connection(path, timeout)
        self._id = 0

    def post(self, body):
        """Raw body in; (HTTP status, raw body) out."""
        self._conn.request("POST", "/rpc", body,
                           {"Content-Type": "application/json"})
        answer = self._conn.getresponse()
        return answer.status, answer.read().decode()

    def call_raw(self, method, params_text):
        """Parameters as JSON text, answer parsed with numbers as text."""
        self._id += 1
        status, body = self.post(
            '{"jsonrpc":"2.0","id":%d,"method":%s,"params":%s}'
            % (self._id, json.dumps(method), params_text))
        answer = parse(body)
        assert answer["id"] == Number(self._id), body
        return answer

    def call(self, method, **params):
        return self.call_raw(method, json.dumps(params))


def parse(text):
    return json.loads(text, parse_int=Number, parse_float=Number)


def dump(value):
    """JSON text of what parse() made, numbers as they were."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{%s}" % ",".join(
            json.dumps(k) + ":" + dump(v) for k, v in value.items())
    if isinstance(value, list):
        return "[%s]" % ",".join(map(dump, value))
    return json.dumps(value)

"""The sandbox's HTTP proxy: the Internet in which only emulated load balancers exist.

It answers for their DNS names and refuses every other host with 502; it never opens a connection of its own. Asked
directly (`http://127.0.0.1:<port>/`) it lists the load balancers, and `/proxy.pac` configures a browser.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from orchestrate_sandbox import load_balancers
from orchestrate_sandbox.keys import SandboxKeys
from orchestrate_sandbox.load_balancers import Listeners
from orchestrate_sandbox.pages import Page, PageRequest, page

_HTTP_PORT = 80
_LOOPBACK = ("127.0.0.1", "localhost")


def serve(endpoint: str, keys: SandboxKeys) -> str:
    """Starts serving on a free loopback port and returns the proxy's address."""
    server = _ProxyServer(("127.0.0.1", 0), _ProxyConnection)
    server.listeners = Listeners(endpoint, keys)
    threading.Thread(target=server.serve_forever, name="proxy", daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


class _ProxyServer(ThreadingHTTPServer):
    daemon_threads = True
    listeners: Listeners

    def answer(self, asked: PageRequest) -> Page:
        balancer = load_balancers.named(asked.host)
        if balancer is None:
            return self._unknown(asked)
        rules = self.listeners.rules(balancer, asked.port)
        if rules is None:
            return _refused(f"{asked.host} has no HTTP listener on port {asked.port}")
        return page(asked, rules)

    def _unknown(self, asked: PageRequest) -> Page:
        if asked.host not in _LOOPBACK or asked.port != self.server_port:
            return _refused(
                f"{asked.host} is not a load balancer of this sandbox, and nothing else is reachable from it"
            )
        if asked.path == "/proxy.pac":
            return Page(200, "application/x-ns-proxy-autoconfig", _pac(self.server_port))
        names = sorted(found.dns_name for found in load_balancers.every())
        return Page(200, "text/plain", "".join(f"http://{name}/\n" for name in names) or "no load balancers yet\n")


def _refused(why: str) -> Page:
    return Page(502, "text/plain", f"orchestrate sandbox: {why}\n")


def _pac(port: int) -> str:
    """Load balancers through us, everything else as if we were not there."""
    hosts = 'shExpMatch(host, "*.elb.*amazonaws.com*") || shExpMatch(host, "*.elb.amazonaws.com*")'
    return f'function FindProxyForURL(url, host) {{ return {hosts} ? "PROXY 127.0.0.1:{port}" : "DIRECT"; }}\n'


def _length(text: str) -> int:
    """A negative one would wait for the end of the connection. Raises ValueError."""
    if not text.isdecimal():
        raise ValueError(text)
    return int(text)


class _ProxyConnection(BaseHTTPRequestHandler):
    server: _ProxyServer
    protocol_version = "HTTP/1.1"
    timeout = 30  # seconds that a kept connection may be idle

    def _serve(self) -> None:
        try:
            self.rfile.read(_length(self.headers.get("Content-Length") or "0"))
            asked = self._asked()
        except ValueError:
            self.close_connection = True
            return self._send(Page(400, "text/plain", "orchestrate sandbox: this is no HTTP request\n"))
        return self._send(self.server.answer(asked))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve

    def do_CONNECT(self) -> None:
        self._send(_refused(f"no HTTPS here ({self.path}): load balancers of the sandbox answer by HTTP"))
        self.close_connection = True

    def _asked(self) -> PageRequest:
        """A proxy is asked by absolute address, a server by path and `Host`. Raises ValueError for neither."""
        address = urlsplit(self.path if "://" in self.path else f"http://{self.headers.get('Host', '')}{self.path}")
        return PageRequest(
            method=self.command,
            host=address.hostname or "",
            port=address.port or _HTTP_PORT,
            path=address.path or "/",
            query=address.query,
            headers={name.lower(): value for name, value in self.headers.items()},
            client=str(self.client_address[0]),
        )

    def _send(self, answer: Page) -> None:
        body = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """The log is for failures."""

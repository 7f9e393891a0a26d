#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# A webhook for tests: webhook.py PORT MODEFILE LOG. What the file MODEFILE says is how the next
# request is answered: ok, 500, 400, hang, redirect URL, endless, drip. Each request is a line of
# JSON in LOG: {"mode","path","headers","body","time"}. With $VW_WEBHOOK_CERT (a file with
# certificate and key): https.
import http.server
import json
import os
import ssl
import sys
import threading
import time

port, modefile, log = int(sys.argv[1]), sys.argv[2], sys.argv[3]
lock = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, headers=(), body=b"{}"):
        self.send_response(status)
        for key, value in headers:
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        with open(modefile, encoding="utf-8") as f:
            mode = f.read().split()
        with lock, open(log, "a", encoding="utf-8") as f:
            json.dump({"mode": mode[0], "path": self.path, "headers": dict(self.headers),
                       "body": body, "time": time.time()}, f)
            f.write("\n")
        if mode[0] == "ok":
            self.answer(200)
        elif mode[0].isdigit():
            self.answer(int(mode[0]), body=b"no, says the test")
        elif mode[0] == "redirect":
            self.answer(307, [("Location", mode[1])])
        elif mode[0] == "hang":
            time.sleep(60)
        elif mode[0] in ("endless", "drip"):
            self.send_response(200)
            self.end_headers()
            while True:
                self.wfile.write(b"x" * (65536 if mode[0] == "endless" else 1))
                self.wfile.flush()
                if mode[0] == "drip":
                    time.sleep(0.2)

    def do_GET(self):
        with lock, open(log, "a", encoding="utf-8") as f:
            json.dump({"mode": "GET", "path": self.path, "body": ""}, f)
            f.write("\n")
        self.answer(200)

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass


server = Server(("127.0.0.1", port), Handler)
if os.environ.get("VW_WEBHOOK_CERT"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.environ["VW_WEBHOOK_CERT"])
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()

"""Listens on port 9099 for webhooks, and keeps each in files where it was started.

webhook-1.txt, webhook-2.txt, … have method, path, headers and body. The last one is
kept for checking as well: its body, byte by byte, in webhook.json, its signature in
webhook.sign.
"""

import glob
import http.server

SIGNATURES = ("X-PARTNER-SIGN", "X-Signature", "X-Signature-Primary", "signature", "webhook-signature")


class Listen(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        name = f"webhook-{len(glob.glob('webhook-*.txt')) + 1}.txt"
        with open(name, "wb") as file:
            file.write(f"{self.command} {self.path}\n{self.headers}".encode() + body + b"\n")
        with open("webhook.json", "wb") as file:
            file.write(body)
        with open("webhook.sign", "w") as file:
            file.write(next((self.headers[key] for key in SIGNATURES if key in self.headers), ""))
        self.send_response(200)
        self.end_headers()

    do_GET = do_PUT = do_POST

    def log_message(self, *args):
        pass


http.server.HTTPServer(("127.0.0.1", 9099), Listen).serve_forever()

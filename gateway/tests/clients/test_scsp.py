"""The client's own tests, against a server that answers as it is told: what a healthy single node never does."""

import socket
import sys
import threading
import unittest

sys.dont_write_bytecode = True

import scsp


class Scripted:
    """Answers each request with the next of its script, on a loopback port. A request is kept as head and body."""

    def __init__(self, *script):
        self.script, self.heads, self.bodies, self.connections = list(script), [], [], 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.node = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while self.script:
            connection, _ = self.listener.accept()
            self.connections += 1
            with connection, connection.makefile("rwb") as stream:
                while self.script and self.answer(stream):
                    pass
        self.listener.close()

    def answer(self, stream):
        lines = []
        while (line := stream.readline().decode()) not in ("\r\n", ""):
            lines.append(line.strip())
        if not lines:
            return False
        step = self.script.pop(0)
        head = "\n".join(lines)
        self.heads.append(head)
        refuses = isinstance(step, str) and step.startswith("!")
        if "Expect: 100-continue" in head and not refuses:
            stream.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            stream.flush()
        self.bodies.append(b"" if refuses else self.body(stream, lines))
        stream.write(step.lstrip("!").replace("\n", "\r\n").encode())
        stream.flush()
        return not refuses and "Connection: close" not in step

    @staticmethod
    def body(stream, lines):
        fields = dict(line.lower().split(": ", 1) for line in lines[1:])
        if fields.get("transfer-encoding") != "chunked":
            return stream.read(int(fields.get("content-length", 0)))
        whole = b""
        while size := int(stream.readline(), 16):
            whole += stream.read(size)
            stream.readline()
        stream.readline()
        return whole


def plain(status, *headers, body=""):
    return "\n".join([f"HTTP/1.1 {status} X", *headers, f"Content-Length: {len(body)}", "", body])


class Redirects(unittest.TestCase):
    def test_301_names_the_primary_node_and_307_one_for_this_once(self):
        third = Scripted(plain(201))
        second = Scripted(plain(307, f"Location: http://{third.node}/b/o?auth=abc"), plain(200))
        first = Scripted(plain(301, f"Location: http://{second.node}/b/o?auth=x"))
        client = scsp.Client(first.node, "k", "s")
        self.assertTrue(client.ask("POST", "/b/o", body=b"four").good)
        self.assertEqual((client.primary, third.bodies), (second.node, [b"four"]))
        self.assertTrue(second.heads[0].startswith("POST /b/o?auth=x "))
        self.assertTrue(third.heads[0].startswith("POST /b/o?auth=abc "))
        self.assertTrue(client.ask("GET", "/b/o").good)
        self.assertEqual(len(second.heads), 2, "asked first from now on")

    def test_305_leads_to_a_stranger_who_sees_no_credentials(self):
        stranger = Scripted(plain(200, body="outside"))
        first = Scripted(plain(305, f"Location: http://{stranger.node}/x"), plain(200))
        client = scsp.Client(first.node, "k", "s")
        answer = client.ask("GET", "/b/o")
        self.assertTrue(answer.external and answer.body == b"outside")
        self.assertNotIn("Authorization", stranger.heads[0])
        self.assertFalse(client.ask("GET", "/b/o").external)
        self.assertIn("Authorization", first.heads[1])

    def test_five_are_followed_and_a_sixth_is_not(self):
        for many, followed in [(5, True), (6, False)]:
            server = Scripted(plain(200))
            server.script[:0] = [plain(307, f"Location: http://{server.node}/again")] * many
            client = scsp.Client(server.node)
            if followed:
                self.assertEqual(client.ask("GET", "/").status, 200)
            else:
                self.assertRaises(scsp.TooManyRedirects, client.ask, "GET", "/")


class Failures(unittest.TestCase):
    def test_5xx_is_asked_again_a_few_times(self):
        server = Scripted(plain(503), plain(500), plain(201))
        client = scsp.Client(server.node, pause=0.001)
        self.assertEqual((client.ask("PUT", "/b/o", body=b"x").status, client.counts["retried"]), (201, 2))
        server = Scripted(*[plain(503)] * 9)
        client = scsp.Client(server.node, tries=3, pause=0.001)
        self.assertEqual((client.ask("GET", "/b/o").status, len(server.heads)), (503, 3))

    def test_what_is_not_built_is_asked_once(self):
        server = Scripted(plain(501), plain(200))
        self.assertEqual(scsp.Client(server.node).ask("BREW", "/").status, 501)
        self.assertEqual(len(server.heads), 1)

    def test_only_some_statuses_are_good(self):
        for method, status, good in [
            ("DELETE", 200, True), ("DELETE", 204, False), ("DELETE", 202, False), ("PUT", 201, True), ("PUT", 200, False),
            ("POST", 202, False), ("COPY", 201, True), ("APPEND", 200, False), ("GET", 206, True), ("HEAD", 200, True),
        ]:
            self.assertEqual(scsp.Answer(method, status, "", []).good, good, (method, status))


class Bodies(unittest.TestCase):
    def test_large_ones_and_chunks_are_asked_for_first(self):
        server = Scripted(*[plain(201)] * 3)
        client = scsp.Client(server.node)
        client.ask("POST", "/", body=b"x" * 32_768)
        client.ask("POST", "/", body=b"x" * 32_769)
        client.ask("POST", "/", chunks=[b"ab", b"", b"c"])
        self.assertEqual(["Expect" in head for head in server.heads], [False, True, True])
        self.assertEqual((server.bodies[1], server.bodies[2]), (b"x" * 32_769, b"abc"))
        self.assertEqual(server.connections, 1, "the socket is kept")

    def test_a_refusal_before_the_body_spares_it(self):
        server = Scripted("!" + plain(412), plain(201))
        client = scsp.Client(server.node)
        self.assertEqual(client.ask("POST", "/b/o", body=b"x" * 50_000).status, 412)
        self.assertEqual(client.ask("POST", "/b/o", body=b"x").status, 201)
        self.assertEqual(server.connections, 2, "what was announced and not sent ends the connection")

    def test_trailers_are_read_and_the_socket_stays_in_step(self):
        chunked = "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nTrailer: content-md5\n\n2\nfo\n2;x=y\nur\n0\nContent-MD5: abc\n\n"
        server = Scripted(chunked, plain(200, body="next"))
        client = scsp.Client(server.node)
        answer = client.ask("GET", "/")
        self.assertEqual((answer.body, answer.trailer("content-md5")), (b"four", "abc"))
        self.assertEqual(client.ask("GET", "/").body, b"next")

    def test_a_cut_body_is_no_answer(self):
        cut = "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nConnection: close\n\n4\nfour\n"
        short = "HTTP/1.1 200 OK\nContent-Length: 9\nConnection: close\n\nfour"
        for script in (cut, short):
            client = scsp.Client(Scripted(script).node)
            with self.assertRaises(scsp.Cut) as caught:
                client.ask("GET", "/")
            self.assertEqual(caught.exception.answer.body, b"four")


class Sockets(unittest.TestCase):
    def test_close_is_obeyed(self):
        server = Scripted(plain(200, "Connection: close"), plain(200))
        client = scsp.Client(server.node)
        client.ask("GET", "/")
        self.assertEqual(client.lines, {})
        client.ask("GET", "/")
        self.assertEqual(server.connections, 2)

    def test_a_write_tells_uuid_and_name(self):
        written = plain(201, "Content-UUID: 0123", "Content-Name: o", 'ETag: "77"')
        answer = scsp.Client(Scripted(written).node).ask("POST", "/", body=b"x")
        self.assertEqual((answer.uuid, answer.name, answer.etag), ("0123", "o", "77"))

    def test_names_are_encoded_as_clients_do(self):
        self.assertEqual(scsp.encoded("a-Z_0.!~*'()/ä +&=%?#"), "a-Z_0.!~*'()/%C3%A4%20%2B%26%3D%25%3F%23")


class DigestAuthentication(unittest.TestCase):
    def test_a_challenge_is_answered_and_its_nonce_used_again(self):
        ask = 'WWW-Authenticate: Digest realm="a, b", qop="auth", nonce="n1", algorithm=MD5, opaque="o"'
        stale = ask.replace("n1", "n2") + ", stale=true"
        basic = 'WWW-Authenticate: Basic realm="x"'
        server = Scripted(plain(401, basic, ask), plain(200), plain(200), plain(401, basic, stale), plain(200))
        client = scsp.Client(server.node, "k", "s")
        for _ in range(3):
            self.assertEqual(client.ask("GET", "/b", auth="digest").status, 200)
        shown = [next((line for line in head.split("\n") if "Authorization" in line), "") for head in server.heads]
        counts = [(line.partition("nonce=")[2][1:3], line.partition("nc=")[2][:8]) for line in shown]
        used = [("n1", "00000001"), ("n1", "00000002"), ("n1", "00000003"), ("n2", "00000001")]
        self.assertEqual(counts, [("", ""), *used])

    def test_the_example_of_the_rfc(self):
        digest = scsp.Digest("Mufasa", "Circle Of Life", lambda: "0a4f113b")
        digest.challenge = {"realm": "testrealm@host.com", "nonce": "dcd98b7102dd2f0e8b11d0f600bfb0c093"}
        self.assertIn('response="6629fae49393a05397450978507c4ef1"', digest.answer("GET", "/dir/index.html"))

    def test_a_wrong_secret_is_not_tried_for_ever(self):
        ask = 'WWW-Authenticate: Digest realm="r", qop="auth", nonce="n", algorithm=MD5'
        server = Scripted(*[plain(401, ask)] * 9)
        client = scsp.Client(server.node, "k", "wrong")
        self.assertEqual((client.ask("GET", "/b", auth="digest").status, len(server.heads)), (401, 2))


if __name__ == "__main__":
    unittest.main(warnings="ignore")  # sockets end with their client

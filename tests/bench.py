#!/usr/bin/env python3
"""Measures the program against curl and wget, taking turns: a small and a large package over HTTPS
on loopback, from nginx, to memory, and the small one with the host's certificates beside the
test's own. Prints a table of times and ratios, in Markdown, and what the large one takes without
them: the machine for receiving it, decrypting it and writing it, each alone, and nginx for sending
it.

Usage: bench.py PROGRAM [OLD]
OLD, an older build of the program, is measured beside it.
RUNS (at least 9) and LARGE (MiB) come from the environment. Needs nginx, curl, wget, openssl,
GNU time and the host's certificates; on Debian:
apt-get install nginx-light curl wget openssl time ca-certificates
"""

import filecmp
import os
import platform
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile

ID = "a777ff00d3cf4d369d87066806aexxxx"
MIB = 1 << 20
HOST_STORE = "/etc/ssl/certs/ca-certificates.crt"
# A small download takes milliseconds: more turns make up for it.
SMALL_TURNS_FACTOR = 5

NGINX = """
daemon on;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    sendfile on;
    client_body_temp_path {folder}/t1;
    proxy_temp_path {folder}/t2;
    fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4;
    scgi_temp_path {folder}/t5;
    ssl_certificate {folder}/cert;
    ssl_certificate_key {folder}/key;
    server {{
        listen 127.0.0.1:{small} ssl;
        location = /v1/log-file {{ alias {folder}/small.zip; }}
    }}
    server {{
        listen 127.0.0.1:{large} ssl;
        location = /v1/log-file {{ alias {folder}/large.zip; }}
    }}
}}
"""


def main():
    programs = [os.path.realpath(program) for program in sys.argv[1:3]]
    runs = max(9, int(os.environ.get("RUNS", "9")))
    large = int(os.environ.get("LARGE", "1024"))
    missing = [tool for tool in ("nginx", "curl", "wget", "openssl", "/usr/bin/time")
               if not shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin")]
    if not os.path.exists(HOST_STORE):
        missing.append(HOST_STORE)
    if missing:
        sys.exit(f"bench: missing: {' '.join(missing)}\n{__doc__}")
    # The file system in memory is tmpfs.
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        os.chmod(folder, 0o755)
        make_certificates(folder)
        add_host_certificates(folder)
        make_package(f"{folder}/small.zip", 1)
        make_package(f"{folder}/large.zip", large)
        ports = start_nginx(folder)
        try:
            measure(folder, programs, runs, large, ports)
        finally:
            os.kill(nginx_process(folder), signal.SIGTERM)


def make_certificates(folder):
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, stderr=subprocess.DEVNULL)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *key, "-days", "2", "-subj", "/CN=bench CA",
            "-keyout", "ca.key", "-out", "ca.pem")
    openssl("req", *key, "-subj", "/CN=localhost", "-keyout", "key", "-out", "request")
    with open(f"{folder}/extensions", "w") as extensions:
        extensions.write("subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n")
    openssl("x509", "-req", "-in", "request", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", "extensions", "-out", "cert")


def add_host_certificates(folder):
    """A file for --cacert of the host's certificates and the test's own, as a company has it."""
    with open(f"{folder}/all.pem", "wb") as together:
        for path in (HOST_STORE, f"{folder}/ca.pem"):
            with open(path, "rb") as certificates:
                together.write(certificates.read())


def make_package(path, mebibytes):
    """A ZIP archive of incompressible bytes, stored."""
    with zipfile.ZipFile(path, "w") as package:
        with package.open("noise", "w") as entry:
            for _ in range(mebibytes):
                entry.write(os.urandom(MIB))


def start_nginx(folder):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    small, large = (free.getsockname()[1] for free in sockets)
    for free in sockets:
        free.close()
    with open(f"{folder}/nginx.conf", "w") as config:
        config.write(NGINX.format(folder=folder, small=small, large=large))
    # It listens when the command returns.
    nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    subprocess.run([nginx, "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"], check=True)
    return {"small": small, "large": large}


def nginx_process(folder):
    with open(f"{folder}/pid") as pid:
        return int(pid.read())


def measure(folder, programs, runs, large, ports):
    output = f"{folder}/get.zip"
    environment = {"PATH": os.environ["PATH"], "HUAWEICLOUD_TOKEN": "token"}

    def commands(port, ca):
        url = f"https://localhost:{port}"
        call = f"{url}/v1/log-file?sub_job_id={ID}"
        names = ("codearts-check-log", "the older one")
        return {
            **{name: [program, "-q", "--cacert", f"{folder}/{ca}", "-e", url, "-o", output, ID]
               for name, program in zip(names, programs)},
            "curl": ["curl", "-sS", "--fail", "--cacert", f"{folder}/{ca}",
                     "-H", "X-Auth-Token: token", "-o", output, call],
            "wget": ["wget", "-q", f"--ca-certificate={folder}/{ca}",
                     "--header=X-Auth-Token: token", "-O", output, call],
        }

    def once(command, package):
        if os.path.exists(output):
            os.remove(output)
        start = time.perf_counter()
        process = os.posix_spawnp(command[0], command, environment)
        _, status, usage = os.wait4(process, 0)
        wall = time.perf_counter() - start
        if status != 0 or not filecmp.cmp(output, f"{folder}/{package}.zip", shallow=False):
            sys.exit(f"bench: failed: {command}")
        return wall, usage.ru_utime + usage.ru_stime

    def peak(command):
        """Peak resident memory in KiB. GNU time starts the command from a small process: what
        starts it counts until the command is executed."""
        os.remove(output)
        result = subprocess.run(["/usr/bin/time", "-f", "%M", *command], env=environment,
                                check=True, capture_output=True, text=True)
        return int(result.stderr)

    print(machine())
    print()
    print("| package | tool | wall | ratio | lowest | ratio | CPU | ratio | peak memory | ratio |")
    print("| --- " * 10 + "|")
    for package, size, ca, turns in (
            ("small", "1 MiB", "ca.pem", runs * SMALL_TURNS_FACTOR),
            ("small", "1 MiB, the host's CAs", "all.pem", runs * SMALL_TURNS_FACTOR),
            ("large", f"{large} MiB", "ca.pem", runs)):
        tools = commands(ports[package], ca)
        times = {name: [] for name in tools}
        for turn in range(turns + 1):
            # In any order: what one run leaves of the machine, its memory above all, the next gets.
            for name, command in random.sample(list(tools.items()), len(tools)):
                time_taken = once(command, package)
                if turn > 0:  # the first warms up
                    times[name].append(time_taken)
        rows = {}
        for name, taken in times.items():
            walls, cpus = zip(*taken)
            memory = statistics.median(peak(tools[name]) for _ in range(3))
            rows[name] = [statistics.median(walls), min(walls), statistics.median(cpus), memory]
        ours = next(iter(rows.values()))
        for name, row in rows.items():
            wall, least, cpu, memory = (f"{mine / theirs:.2f}" for mine, theirs in zip(ours, row))
            print(f"| {size} | {name} | {row[0] * 1000:.1f} ms | {wall} | {row[1] * 1000:.1f} ms "
                  f"| {least} | {row[2] * 1000:.1f} ms | {cpu} | {row[3] / 1024:.1f} MiB "
                  f"| {memory} |")
    print()
    print_limit(folder, large, commands(ports["large"], "ca.pem")["curl"])
    print()
    print(f"The program's size: {os.path.getsize(programs[0]) / 1e6:.2f} MB.")


def print_limit(folder, mebibytes, curl):
    """The time for receiving, decrypting and writing as many bytes, with no program in between, and
    the server's own, each the lowest of five."""
    def least(part, *arguments):
        return min(part(*arguments) for _ in range(5)) * 1000

    parts = {"receiving": receiving, "decrypting": decrypting, "writing": writing}
    times = {name: least(part, folder, mebibytes) for name, part in parts.items()}
    listed = ", ".join(f"{name} {time_taken:.0f} ms" for name, time_taken in times.items())
    together = sum(times.values())
    print(f"The machine alone, for {mebibytes} MiB: {listed}; together {together:.0f} ms. "
          f"At the same time, nginx needs {least(sending, folder, curl):.0f} ms to send them.")


def receiving(folder, mebibytes):
    """From a socket on loopback, where another process sends a file."""
    with socket.create_server(("127.0.0.1", 0)) as server, \
            open(f"{folder}/large.zip", "rb") as package:
        child = os.fork()
        if child == 0:
            connection, _ = server.accept()
            connection.sendfile(package)
            os._exit(0)
        buffer = bytearray(256 << 10)
        with socket.create_connection(server.getsockname()) as connection:
            start = time.perf_counter()
            while connection.recv_into(buffer):
                pass
            time_taken = time.perf_counter() - start
        os.waitpid(child, 0)
    return time_taken


def decrypting(_folder, mebibytes):
    """With AES-256-GCM, TLS's records of 16 KiB at a time, by openssl."""
    speed = subprocess.run(["openssl", "speed", "-mr", "-decrypt", "-seconds", "1", "-bytes",
                            "16384", "-evp", "aes-256-gcm"],
                           capture_output=True, text=True, check=True).stdout
    per_second = float(speed.strip().splitlines()[-1].split(":")[-1])
    return mebibytes * MIB / per_second


def writing(folder, mebibytes):
    """To the file system in memory, as much at a time as the program writes."""
    buffer = os.urandom(256 << 10)
    path = f"{folder}/written"
    start = time.perf_counter()
    with open(path, "wb", buffering=0) as file:
        for _ in range(mebibytes * MIB // len(buffer)):
            file.write(buffer)
    time_taken = time.perf_counter() - start
    os.remove(path)
    return time_taken


def sending(folder, curl):
    """CPU time of the server for one download by curl."""
    master = nginx_process(folder)
    with open(f"/proc/{master}/task/{master}/children") as children:
        workers = children.read().split()

    def cpu_time():
        total = 0
        for worker in workers:
            with open(f"/proc/{worker}/schedstat") as statistic:
                total += int(statistic.read().split()[0])  # nanoseconds
        return total / 1e9

    start = cpu_time()
    subprocess.run(curl, check=True, env={"PATH": os.environ["PATH"]})
    return cpu_time() - start


def machine():
    def first_line(*command):
        text = subprocess.run(command, capture_output=True, text=True)
        return (text.stdout or text.stderr).splitlines()[0]

    with open("/proc/cpuinfo") as info:
        models = [line.split(":")[1].strip() for line in info if line.startswith("model name")]
    nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    versions = [" ".join(first_line("curl", "--version").split()[:4]),
                " ".join(first_line("wget", "--version").split()[:3]),
                first_line(nginx, "-v").split(": ")[1],
                first_line("rustc", "--version")]
    return (f"On {len(models)} × {models[0] if models else platform.machine()}, "
            f"Linux {platform.release().split('-')[0]}, {', '.join(versions)}. Medians over "
            "all rounds, and the lowest wall time; ratio = this program ÷ the tool.")


main()

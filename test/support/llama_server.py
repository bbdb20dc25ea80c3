"""llama.cpp's own HTTP server (through xllamacpp): <model.gguf> <port> <context tokens>. Prints a line when it listens."""
import sys, time
from xllamacpp import CommonParams, Server

params = CommonParams()
params.model.path = sys.argv[1]
params.port = int(sys.argv[2])
params.hostnames = ["127.0.0.1"]
params.n_ctx = int(sys.argv[3])
params.n_parallel = 1
params.cpuparams.n_threads = 1
params.warmup = False
server = Server(params)
print(server.listening_address, flush=True)
time.sleep(3600)

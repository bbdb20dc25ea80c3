"""llama.cpp's own HTTP server from the xllamacpp wheel: python llama_server.py MODEL.gguf SLOTS CONTEXT THREADS. Prints its address."""

import sys
import time

import xllamacpp

model, slots, context, threads = sys.argv[1], *map(int, sys.argv[2:5])
params = xllamacpp.CommonParams()
params.model.path = model
params.n_parallel = slots
params.n_ctx = slots * context
params.cpuparams.n_threads = threads
params.cpuparams_batch.n_threads = threads
params.cont_batching = True
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
while True:
    time.sleep(3600)

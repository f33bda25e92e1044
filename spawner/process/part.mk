ARCHIVES += spawner_process
spawner_process_SRC := spawner/process/process.c

/** A real Slurm on this machine: munged, slurmctld and two slurmd, two nodes as far as Slurm can tell. Debian: slurm-wlm, munge. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, openSync, writeFileSync } from "node:fs";
import { availableParallelism, hostname, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const PATH = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`;
const PROGRAMS = ["munged", "slurmctld", "slurmd", "sbatch", "srun", "scontrol", "scancel"];

/** Why there can be no cluster here; undefined where there can. */
export function missingSlurm(): string | undefined {
  const missing = PROGRAMS.filter((name) => spawnSync("which", [name], { env: { ...process.env, PATH } }).status !== 0);
  return missing.length > 0 ? `no ${missing.join(", ")}; apt-get install slurm-wlm munge` : undefined;
}

export class SlurmCluster {
  readonly #daemons: ChildProcess[] = [];
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param folder - Empty; holds configuration, state and logs. Sets SLURM_CONF for this process. */
  static async start(folder: string): Promise<SlurmCluster> {
    const cluster = new SlurmCluster(folder);
    const at = (name: string) => join(folder, name);
    for (const name of ["state", "n1", "n2"]) mkdirSync(at(name), { recursive: true });
    writeFileSync(at("munge.key"), randomBytes(1024), { mode: 0o400 });
    const user = userInfo().username;
    const port = 20_000 + Math.floor(Math.random() * 20_000);
    const node = (name: string, offset: number) =>
      `NodeName=${name} NodeHostname=${hostname()} NodeAddr=127.0.0.1 Port=${port + offset} CPUs=${availableParallelism()}`;
    writeFileSync(
      at("slurm.conf"),
      `${[
        "ClusterName=test",
        `SlurmctldHost=${hostname()}(127.0.0.1)`,
        `SlurmUser=${user}`,
        `SlurmdUser=${user}`,
        "AuthType=auth/munge",
        // A job that is queued again waits until its old credential has expired.
        `AuthInfo=socket=${at("munge.socket")},cred_expire=5`,
        `SlurmctldPort=${port}`,
        `SlurmctldPidFile=${at("slurmctld.pid")}`,
        `SlurmdPidFile=${at("slurmd.%n.pid")}`,
        `StateSaveLocation=${at("state")}`,
        `SlurmdSpoolDir=${at("%n")}`,
        "ProctrackType=proctrack/linuxproc",
        "TaskPlugin=task/none",
        "SelectType=select/cons_tres",
        "SelectTypeParameters=CR_Core",
        "MpiDefault=none",
        "ReturnToService=2",
        node("n1", 1),
        node("n2", 2),
        "PartitionName=main Nodes=ALL Default=YES State=UP",
      ].join("\n")}\n`,
    );
    process.env.SLURM_CONF = at("slurm.conf");
    cluster.#run("munged", [
      ...["--force", "--foreground", "--key-file", at("munge.key"), "--socket", at("munge.socket")],
      ...["--pid-file", at("munged.pid"), "--log-file", at("munged.log"), "--seed-file", at("munge.seed")],
    ]);
    await until("munged", () => spawnSync("munge", ["-n", "-S", at("munge.socket")]).status === 0);
    cluster.#run("slurmctld", ["-D"]);
    for (const name of ["n1", "n2"]) cluster.#run("slurmd", ["-D", "-N", name]);
    await until("two idle nodes", () => cluster.#ask("sinfo", ["--noheader", "--states=idle", "--format=%D"]) === "2");
    return cluster;
  }

  #run(program: string, args: string[]): void {
    const log = openSync(join(this.#folder, `${program}.${this.#daemons.length}.log`), "a");
    this.#daemons.push(spawn(program, args, { stdio: ["ignore", log, log], env: { ...process.env, PATH } }));
  }

  #ask(program: string, args: string[]): string {
    const { stdout } = spawnSync(program, args, { encoding: "utf8", env: { ...process.env, PATH } });
    return (stdout ?? "").trim();
  }

  /** `scontrol show job`'s fields. */
  job(id: string): Record<string, string> {
    const text = this.#ask("scontrol", ["--oneliner", "show", "job", id]);
    return Object.fromEntries([...text.matchAll(/(\w+)=(\S*)/g)].map(([, key, value]) => [key!, value!]));
  }

  /** Waits for the job's end. @returns its last state. */
  async end(id: string, seconds = 300): Promise<string> {
    const isOver = () => /^(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL)$/.test(this.job(id).JobState ?? "");
    await until(`the end of job ${id}`, isOver, seconds, 500);
    return this.job(id).JobState!;
  }

  signal(id: string, signal: string): void {
    execFileSync("scancel", ["--batch", `--signal=${signal}`, id]);
  }

  async stop(): Promise<void> {
    const alive = this.#daemons.filter((daemon) => daemon.exitCode === null).reverse();
    for (const daemon of alive) {
      daemon.kill("SIGTERM");
      await Promise.race([new Promise((resolve) => daemon.once("exit", resolve)), sleep(5000)]);
      if (daemon.exitCode === null) daemon.kill("SIGKILL");
    }
    delete process.env.SLURM_CONF;
  }
}

/** Asks again and again. @throws when it stays false. */
export async function until(what: string, isTrue: () => boolean, seconds = 30, pauseMs = 50): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!isTrue()) {
    if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}`);
    await sleep(pauseMs);
  }
}

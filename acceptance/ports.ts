/** What a program left when it ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the acceptance run needs of the machine. */
export interface Ports {
  /** Runs a program to its end, in a folder (default: that of this package). */
  run(program: string, args: readonly string[], folder?: string): Promise<Ended>;
  /** Seconds of a clock that only runs forward. */
  now(): number;
  pause(seconds: number): Promise<void>;
  /** Writes a file, and the folders that it lies in. */
  write(path: string, text: string): void;
  print(line: string): void;
}

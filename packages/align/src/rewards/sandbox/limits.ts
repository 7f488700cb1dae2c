import { z } from 'zod';

/** What one program in the sandbox may use at most; snake_case, as specs write it. */
export const limitsSchema = z.strictObject({
  wall_seconds: z.number().positive().max(3600).default(10),
  /** Processor time. */
  cpu_seconds: z.int().positive().max(3600).default(10),
  /** Address space. */
  memory_megabytes: z.int().min(32).default(512),
  /** Threads at a time. A program starts no process beside its own. */
  processes: z.int().min(1).max(4096).default(16),
  /** What it prints and answers, in all. */
  output_kilobytes: z.int().positive().default(1024),
  /** The scratch folder, and each file in it. */
  scratch_megabytes: z.int().positive().default(16),
});

export type SandboxLimits = z.output<typeof limitsSchema>;

export const defaultLimits: SandboxLimits = limitsSchema.parse({});

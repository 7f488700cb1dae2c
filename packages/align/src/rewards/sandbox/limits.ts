import { z } from 'zod';

/** The maximum that one program in the sandbox may use; snake_case, as in specs. */
export const limitsSchema = z.strictObject({
  wall_seconds: z.number().positive().max(3600).default(10),
  /** Processor time. */
  cpu_seconds: z.int().positive().max(3600).default(10),
  /** Address space. */
  memory_megabytes: z.int().min(32).default(512),
  /** Threads at a time. A program cannot start other processes. */
  processes: z.int().min(1).max(4096).default(16),
  /** Everything that it prints and answers. */
  output_kilobytes: z.int().positive().default(1024),
  /** The scratch folder, and each file in it. */
  scratch_megabytes: z.int().positive().default(16),
});

export type SandboxLimits = z.output<typeof limitsSchema>;

export const defaultLimits: SandboxLimits = limitsSchema.parse({});

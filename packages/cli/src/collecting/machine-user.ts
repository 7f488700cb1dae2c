import { userInfo } from 'node:os';

/** Who works on this machine, for the log of actions and for verdicts; null if it has no name. */
export function machineUser(): string | null {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a user that the machine does not know.
    return null;
  }
}

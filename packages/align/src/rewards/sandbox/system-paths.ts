/** The parts of the system that every program needs to run; none of them is private. */
export const systemPaths = ['/usr', '/bin', '/sbin', '/lib', '/lib64', '/lib32'];

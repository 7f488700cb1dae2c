// Loaded before the program that hand-over.mjs starts: kills the program if its launcher is killed.
if (process.channel && process.env.KEEL_LAUNCHER === String(process.ppid)) {
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.channel.unref();
}
// Programs that this one starts have no launcher to follow.
delete process.env.KEEL_LAUNCHER;

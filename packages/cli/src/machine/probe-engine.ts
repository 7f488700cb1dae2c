// Run by the doctor in a process of its own: loading a broken library may end the process.
import { memory, threads, torchBuild } from '@keel/torch';

console.log(JSON.stringify({ ...torchBuild(), threads: threads(), tensors: memory().tensors }));

// @keel/evaluate/over-optimisation: proxies of a gold reward, optimised until gold falls.

export type { Lab } from '../lab/stages/lab.ts';
export { refuseOtherLab } from '../lab/stages/lab-folder.ts';
export { type OpenLabOptions, openLab } from '../lab/stages/open-lab.ts';

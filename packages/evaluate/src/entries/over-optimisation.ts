// @keel/evaluate/over-optimisation: proxies of a gold reward, optimised until gold falls.

export { analyseLab, type LabAnalysis } from '../lab/curves/analyse.ts';
export type { Curve, CurvePoint, LabCurves } from '../lab/curves/curve.ts';
export type { World } from '../lab/options/world-options.ts';
export { curvesPlot } from '../lab/report/curves-plot.ts';
export { labFindings } from '../lab/report/findings.ts';
export { type LabTable, labTables, type TitledTable } from '../lab/report/tables.ts';
export { type LabResults, writeLabResults } from '../lab/report/write-lab.ts';
export { writeWorldResults } from '../lab/report/write-world.ts';
export type { Lab } from '../lab/stages/lab.ts';
export { refuseOtherLab } from '../lab/stages/lab-folder.ts';
export { type OpenLabOptions, openLab } from '../lab/stages/open-lab.ts';
export { isWorld } from '../lab/world/read-world.ts';
export { worldCurves } from '../lab/world/world-curves.ts';

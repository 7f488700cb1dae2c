import { z } from 'zod';
import { defineOptions } from '../torch-free/align-config.ts';
import { callShape } from './shared.ts';

export const definition = defineOptions('doctor', z.strictObject({ json: callShape.json }), {
  complete: (parsed) => parsed,
});

export type DoctorOptions = ReturnType<typeof definition.complete>;

export const example = 'npx keel doctor';

import { describe, expect, it } from 'vitest';
import { isTargeted, parseAdapterConfig, treatmentOf } from './adapter-config.ts';
// Made by fixtures/make-lora-fields.py.
import known from './fixtures/lora-fields.json' with { type: 'json' };

const parse = (change: object) =>
  parseAdapterConfig('adapter_config.json', { ...known.defaults, ...change });

describe('the fields of an adapter_config.json', () => {
  it("take PEFT's defaults", () => {
    expect(parse({})).toMatchObject({ r: 8, lora_alpha: 8, target_modules: ['q_proj'] });
  });

  // Each either is read, or is listed here with the reason why Keel need not read it.
  it('are all classified that PEFT has', () => {
    const byTreatment = {
      read: [] as string[],
      'without effect': [] as string[],
      refused: [] as string[],
    };
    for (const field of Object.keys(known.defaults)) byTreatment[treatmentOf(field)].push(field);
    expect(byTreatment).toMatchInlineSnapshot(`
      {
        "read": [
          "task_type",
          "peft_type",
          "base_model_name_or_path",
          "revision",
          "r",
          "target_modules",
          "exclude_modules",
          "lora_alpha",
          "lora_dropout",
          "bias",
          "use_rslora",
          "modules_to_save",
          "init_lora_weights",
          "layers_to_transform",
          "layers_pattern",
          "rank_pattern",
          "alpha_pattern",
        ],
        "refused": [
          "megatron_config",
          "trainable_token_indices",
          "use_dora",
          "velora_config",
          "alora_invocation_tokens",
          "use_qalora",
          "monteclora_config",
          "layer_replication",
          "lora_bias",
          "target_parameters",
          "use_bdlora",
          "arrow_config",
          "kasa_config",
        ],
        "without effect": [
          "auto_mapping",
          "peft_version",
          "inference_mode",
          "fan_in_fan_out",
          "megatron_core",
          "loftq_config",
          "eva_config",
          "corda_config",
          "lora_ga_config",
          "qalora_group_size",
          "runtime_config",
          "ensure_weight_tying",
        ],
      }
    `);
  });

  it.each(
    Object.keys(known.defaults).filter((field) => treatmentOf(field) === 'refused'),
  )('are refused with a value that Keel does not compute: %s', (field) => {
    for (const value of [true, 1, 'x', ['x'], { x: 1 }]) {
      expect(() => parse({ [field]: value })).toThrow(`its ${field} is`);
    }
    for (const value of [null, false, [], {}])
      expect(() => parse({ [field]: value })).not.toThrow();
  });

  it('are refused where a newer PEFT has set one that is not known', () => {
    expect(() => parse({ use_new_trick: false, new_config: null })).not.toThrow();
    expect(() => parse({ use_new_trick: true })).toThrow(/its use_new_trick is true/);
  });

  it.each([
    'pissa',
    'pissa_niter_4',
    'olora',
    'OLoRA',
    'corda',
    'loftq',
    'lora_ga',
    'mica',
    'newest',
  ])('refuse init_lora_weights "%s", which changes the base', (init) => {
    expect(() => parse({ init_lora_weights: init })).toThrow(
      /its init_lora_weights is .*path_initial_model_for_weight_conversion/,
    );
  });

  it.each([
    true,
    false,
    null,
    'gaussian',
    'Gaussian',
    'eva',
    'orthogonal',
  ])('take init_lora_weights %j', (init) => {
    expect(() => parse({ init_lora_weights: init })).not.toThrow();
  });
});

// Of peft.tuners.tuners_utils.check_target_module_exists, PEFT 0.21.2.
describe('isTargeted', () => {
  const query = 'model.layers.11.self_attn.q_proj';
  it.each<[object, boolean]>([
    [{}, true],
    [{ target_modules: ['proj'] }, false],
    [{ target_modules: 'all-linear' }, true],
    [{ target_modules: '.*\\.q_proj' }, true],
    [{ target_modules: 'q_proj' }, false],
    [{ layers_to_transform: 1 }, false],
    [{ layers_to_transform: [1, 11] }, true],
    [{ layers_to_transform: [] }, true],
    [{ layers_to_transform: [1], target_modules: [query] }, true],
    [{ layers_to_transform: [1], target_modules: '.*q_proj' }, true],
    [{ layers_to_transform: [11], layers_pattern: 'layers' }, true],
    [{ layers_to_transform: [11], layers_pattern: ['h', 'layers'] }, true],
    [{ layers_to_transform: [11], layers_pattern: 'h' }, false],
    [{ exclude_modules: ['q_proj'] }, false],
    [{ exclude_modules: '.*\\.1\\..*' }, true],
    [{ exclude_modules: '.*\\.11\\..*' }, false],
    [{ target_modules: null }, false],
  ])('%j: %s', (change, expected) => {
    expect(isTargeted('adapter_config.json', parse(change), query)).toBe(expected);
  });

  it('refuses a pattern that Python reads otherwise', () => {
    expect(() => isTargeted('x.json', parse({ target_modules: '\\Aq' }), query)).toThrow(
      /x\.json.*"\\Aq"/,
    );
  });
});

// Runs in the report's page after uPlot: draws the charts and enables the buttons.
(() => {
  const root = document.documentElement;
  const dataElement = document.getElementById('chart-data');
  const charts = dataElement ? JSON.parse(dataElement.textContent) : [];

  const number = (value) => {
    const size = Math.abs(value);
    const text =
      size === 0
        ? '0'
        : size < 1e-3 || size >= 1e6
          ? size.toExponential(1).replace('.0e', 'e').replace('e+', 'e')
          : size >= 1000
            ? Math.round(size).toLocaleString('en-US')
            : size.toPrecision(3);
    return (value < 0 ? '\u2212' : '') + text;
  };
  // Axes have round numbers, whose trailing zeros would be noise.
  const tick = (value) => {
    const size = Math.abs(value);
    const short = Number(value.toPrecision(6));
    const text =
      size >= 10_000
        ? `${Number((value / 1000).toPrecision(4))}k`
        : size > 0 && size < 1e-3
          ? short.toExponential()
          : String(short);
    return text.replaceAll('-', '\u2212');
  };
  const percent = (value) => `${Number((value * 100).toFixed(1))}%`;

  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const faint = (hex) => `${hex}59`;

  function series(line) {
    const stroke = colour(line.tone);
    if (line.held) {
      const points = { show: true, size: 7, width: 2, stroke, fill: colour('surface') };
      return [{ stroke, width: 1.5, dash: [5, 4], spanGaps: true, points }];
    }
    const plain = { spanGaps: true, points: { show: false } };
    if (!line.smoothed) return [{ ...plain, stroke, width: 2 }];
    return [
      { ...plain, stroke: faint(stroke), width: 1 },
      { ...plain, stroke, width: 2.25 },
    ];
  }

  // On paper there are two columns, whose width is unknown before printing.
  const sizeFor = (element) =>
    'printing' in root.dataset
      ? { width: 300, height: 170 }
      : { width: element.clientWidth, height: 220 };

  function draw(chart, element) {
    const show = chart.share ? percent : number;
    const figure = element.closest('figure');
    const reading = figure.querySelector('.reading');
    const axis = {
      stroke: colour('muted'),
      font: `12px ${getComputedStyle(document.body).fontFamily}`,
      grid: { stroke: colour('rule'), width: 1 },
      ticks: { show: false },
    };
    const widest = (labels) => Math.max(...(labels ?? ['']).map((label) => label.length));
    const values = chart.series.flatMap((line) =>
      line.smoothed ? [line.values, line.smoothed] : [line.values],
    );

    const read = (index) => {
      const parts = chart.series.flatMap((line) => {
        const value = line.values[index];
        if (value === null || value === undefined) return [];
        return chart.series.length > 1 ? `${line.label} ${show(value)}` : show(value);
      });
      reading.textContent = `step ${chart.steps[index]} · ${parts.join(' · ')}`;
    };

    const single = chart.steps.length === 1;
    const plot = new uPlot(
      {
        ...sizeFor(element),
        padding: [8, 12, 0, 0],
        legend: { show: false },
        cursor: { sync: { key: 'steps' }, points: { size: 7 } },
        scales: {
          x: { time: false, range: single ? [chart.steps[0] - 1, chart.steps[0] + 1] : undefined },
          y: chart.share
            ? { range: [0, 1] }
            : { range: (_plot, low, high) => uPlot.rangeNum(low, high, 0.1, true) },
        },
        axes: [
          {
            ...axis,
            size: 30,
            values: (_plot, splits) =>
              splits.map((step) => (Number.isInteger(step) ? tick(step) : '')),
          },
          {
            ...axis,
            values: (_plot, splits) => splits.map(chart.share ? percent : tick),
            size: (_plot, labels) => 14 + 7 * widest(labels),
          },
        ],
        series: [{}, ...chart.series.flatMap(series)],
        hooks: {
          setCursor: [
            (self) =>
              self.cursor.idx == null ? read(chart.steps.length - 1) : read(self.cursor.idx),
          ],
        },
      },
      [chart.steps, ...values],
      element,
    );
    read(chart.steps.length - 1);
    return plot;
  }

  let plots = [];
  function drawAll() {
    for (const { plot } of plots) plot.destroy();
    plots = charts.map((chart) => {
      const element = document.querySelector(`#chart-${chart.id} .plot`);
      return { element, plot: draw(chart, element) };
    });
  }
  drawAll();

  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
  const observer = new ResizeObserver(() => {
    for (const { element, plot } of plots) {
      const size = sizeFor(element);
      if (size.width !== plot.width) plot.setSize(size);
    }
  });
  for (const { element } of plots) observer.observe(element);

  // Paper is white, and every section is open.
  let closed = [];
  addEventListener('beforeprint', () => {
    closed = [
      ...document.querySelectorAll('details.samples:not([open]), details.config:not([open])'),
    ];
    for (const details of closed) details.open = true;
    root.dataset.printing = '';
    drawAll();
  });
  addEventListener('afterprint', () => {
    for (const details of closed) details.open = false;
    delete root.dataset.printing;
    drawAll();
  });

  for (const button of document.querySelectorAll('[data-copy]')) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = 'Copied';
      setTimeout(() => {
        button.textContent = 'Copy';
      }, 1500);
    });
  }
})();

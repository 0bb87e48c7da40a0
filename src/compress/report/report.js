// Draws the plots of the report from the figures in the page. Chart.js does the drawing; what is here
// says what to draw. Everything is drawn again when the reader's colours change, and for paper.
'use strict';
(() => {
  const data = JSON.parse(document.getElementById('figures').textContent);
  const models = [data.dense, ...data.rungs];
  const charts = [];
  const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const rungColour = index => colour('--c' + index % 6);
  const round = (value, digits) => Number(value.toPrecision(digits)).toString();
  const stages = {search: 'candidate of the search', prune: 'after pruning',
                  distill: 'after training', rung: 'measured, not kept'};

  function draw(id, config) {
    const canvas = document.getElementById(id);
    if (canvas) charts.push(new Chart(canvas, config));
  }

  // The best that each x or less can have: points from left to right that beat all before.
  function frontier(points) {
    let best = -Infinity;
    return [...points].sort((a, b) => a.x - b.x || b.y - a.y)
        .filter(point => point.y > best && ((best = point.y), true));
  }

  // Ticks 1, 2, 5, 10 … within the range, which are the ones people read on a logarithmic axis.
  function niceTicks(low, high) {
    const ticks = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); ++power) {
      for (const digit of [1, 2, 5]) {
        const value = digit * 10 ** power;
        if (value >= low && value <= high) ticks.push({value});
      }
    }
    return ticks;
  }

  function xAxis(title, values, unit) {
    const low = Math.min(...values) / 1.25, high = Math.max(...values) * 1.15;
    const logarithmic = high / low > 3;
    const axis = {
      type: logarithmic ? 'logarithmic' : 'linear', min: low, max: high,
      title: {display: true, text: title},
      ticks: {maxRotation: 0, callback: value => round(value, 3) + ' ' + unit},
      grid: {color: colour('--line')},
    };
    if (logarithmic && niceTicks(low, high).length > 1) {
      axis.afterBuildTicks = scale => { scale.ticks = niceTicks(low, high); };
    }
    return axis;
  }

  // Each name at the first corner of its point where it covers no other point or name.
  function placeLabels(ctx, area, labels) {
    ctx.font = '600 12px ' + Chart.defaults.font.family;
    ctx.textBaseline = 'middle';
    ctx.lineWidth = 4;
    ctx.strokeStyle = colour('--panel');
    ctx.fillStyle = colour('--ink');
    const taken = labels.map(({element: {x, y}}) => [x - 7, y - 7, x + 7, y + 7]);
    const meets = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
    for (const {element, text} of labels) {
      const wide = ctx.measureText(text).width;
      const boxes = [[-1, -1], [1, 1], [1, -1], [-1, 1]].map(([right, down]) => {
        const left = right < 0 ? element.x - 9 - wide : element.x + 9;
        const top = element.y + (down < 0 ? -20 : 4);
        return [left, top, left + wide, top + 16];
      });
      const box = boxes.find(b => b[0] > area.left && b[2] < area.right && b[1] > area.top &&
                                  b[3] < area.bottom && !taken.some(t => meets(t, b))) ?? boxes[0];
      taken.push(box);
      ctx.textAlign = 'left';
      ctx.strokeText(text, box[0], box[1] + 8);
      ctx.fillText(text, box[0], box[1] + 8);
    }
  }

  // 95 % intervals as bars, and names beside the large points.
  const marks = {
    id: 'marks',
    afterDatasetsDraw(chart) {
      const {ctx, scales: {y}, chartArea} = chart, labels = [];
      ctx.save();
      ctx.beginPath();
      ctx.rect(chartArea.left, chartArea.top, chartArea.width, chartArea.height);
      ctx.clip();
      chart.data.datasets.forEach((dataset, index) => {
        if (!dataset.named || !chart.isDatasetVisible(index)) return;
        chart.getDatasetMeta(index).data.forEach((element, i) => {
          const point = dataset.data[i];
          ctx.strokeStyle = dataset.borderColor;
          ctx.lineWidth = 1.5;
          ctx.beginPath();
          for (const end of [y.getPixelForValue(point.low), y.getPixelForValue(point.high)]) {
            ctx.moveTo(element.x - 4, end);
            ctx.lineTo(element.x + 4, end);
            ctx.moveTo(element.x, end);
            ctx.lineTo(element.x, element.y);
          }
          ctx.stroke();
          labels.push({element, text: point.name});
        });
      });
      placeLabels(ctx, chartArea, labels);
      ctx.restore();
    },
  };

  function tradeOff(id, key, title, unit) {
    const kept = new Set(data.rungs.map(rung => rung.name));
    const place = model => ({x: model[key], y: model.metric, ...model});
    const tried = data.points
        .filter(p => p.metric !== null && p[key] > 0 && p.stage !== 'dense' &&
                     !(p.stage === 'rung' && kept.has(p.rung)))
        .map(place);
    const rungs = data.rungs.filter(rung => rung[key] > 0).map(place);
    const dense = [data.dense].filter(model => model[key] > 0).map(place);
    const all = [...tried, ...rungs, ...dense];
    if (!all.length) return;
    // Points that broke down are far below; they stand on the lower edge and would hide the rest.
    const top = Math.max(...all.map(p => p.high ?? p.y));
    const low = Math.min(...[...rungs, ...dense].map(p => p.low));
    const margin = Math.max(top - low, 1) * 0.08;
    const floor = Math.max(low - 0.35 * Math.max(top - low, 1), Math.min(low, ...all.map(p => p.y)));
    const shown = tried.map(p => p.y >= floor ? p : {...p, y: floor, below: p.metric});
    const best = frontier([...tried.filter(p => !p.predicted), ...rungs, ...dense]);
    const ends = best.length ? [...best, {x: Math.max(...all.map(p => p.x)) * 1.15,
                                          y: best[best.length - 1].y}] : [];
    const cloud = Object.keys(stages).map((stage, index) => ({
      label: stages[stage], data: shown.filter(p => p.stage === stage), pointRadius: 4,
      pointHoverRadius: 6, pointStyle: p => p.raw?.below === undefined ?
          ['rectRot', 'circle', 'rect', 'crossRot'][index] : 'triangle',
      pointRotation: p => p.raw?.below === undefined ? 0 : 180,
      backgroundColor: colour('--c' + [4, 3, 2, 5][index]) + '99',
      borderColor: colour('--c' + [4, 3, 2, 5][index]), borderWidth: 1, order: 3,
    })).filter(dataset => dataset.data.length);
    draw(id, {
      type: 'scatter',
      data: {datasets: [
        {label: 'rungs', data: rungs, named: true, pointRadius: 6, pointHoverRadius: 8,
         backgroundColor: colour('--c0'), borderColor: colour('--c0'), order: 1},
        {label: 'dense', data: dense, named: true, pointRadius: 7, pointStyle: 'rectRot',
         backgroundColor: colour('--dense'), borderColor: colour('--dense'), order: 1},
        ...cloud,
        {label: 'frontier', data: ends, showLine: true, stepped: 'before', pointRadius: 0,
         pointHitRadius: 0, borderColor: colour('--c0'), borderWidth: 2, pointStyle: 'line', order: 4},
        {label: 'dense level', data: [{x: 1e-9, y: data.dense.metric}, {x: 1e9, y: data.dense.metric}],
         showLine: true, pointRadius: 0, pointHitRadius: 0, borderColor: colour('--dense'),
         borderDash: [5, 5], borderWidth: 1, pointStyle: 'line', order: 5},
      ]},
      options: {
        scales: {
          x: xAxis(title, all.map(p => p.x), unit),
          y: {min: floor - margin, max: top + margin, grid: {color: colour('--line')},
              ticks: {includeBounds: false, callback: value => round(value, 4)},
              title: {display: true, text: data.metric + ', points'}},
        },
        plugins: {
          legend: {position: 'bottom', labels: {usePointStyle: true, boxHeight: 6, padding: 14,
                   filter: item => item.text !== 'dense level'}},
          tooltip: {callbacks: {label: item => {
            const p = item.raw;
            const name = p.name ?? [stages[p.stage] ?? p.stage, p.rung].filter(Boolean).join(', ');
            const at = [p.ms > 0 ? round(p.ms, 3) + (p.predicted ? ' ms predicted' : ' ms') : '',
                        p.mb > 0 ? round(p.mb, 3) + ' MB' : ''].filter(Boolean).join(', ');
            return `${name}: ${round(p.metric, 4)} at ${at}`;
          }}},
        },
      },
      plugins: [marks],
    });
  }

  const formatsOf = layers => new Set(layers.flatMap(layer => [layer[2], layer[3]])
      .filter(Boolean).flatMap(name => name.split('+')));

  // Numbers at the outer ends of the bars; formats where they differ within the model.
  const counts = {
    id: 'counts',
    afterDatasetsDraw(chart) {
      const {ctx, scales: {x, y}} = chart, layers = chart.options.layers;
      const mixed = formatsOf(layers).size > 1;
      const say = (count, format) => count ? count + (mixed ? ' ' + format : '') : 'gone';
      ctx.save();
      ctx.font = '12px ' + Chart.defaults.font.family;
      ctx.textBaseline = 'middle';
      ctx.lineWidth = 3;
      ctx.strokeStyle = colour('--panel');
      layers.forEach((layer, index) => {
        const middle = y.getPixelForValue(index);
        [[-1, layer[0], layer[2]], [1, layer[1], layer[3]]].forEach(([side, count, format]) => {
          ctx.textAlign = side < 0 ? 'right' : 'left';
          ctx.fillStyle = colour(count ? '--ink' : '--soft');
          ctx.fillText(say(count, format), x.getPixelForValue(side) + 6 * side, middle);
        });
      });
      ctx.restore();
    },
  };

  function shape(id, rung) {
    const dense = data.dense.layers;
    const rows = Math.max(rung.layers.length, dense.length);
    const layers = Array.from({length: rows}, (_, i) => rung.layers[i] ?? [0, 0, '', '']);
    const share = (part, index) => i => {
      const whole = Math.max(...dense.map(layer => layer[index]), 1);
      return part[i] ? Math.min(part[i][index] / whole, 1) : 0;
    };
    const all = Array.from({length: rows}, (_, i) => i);
    const mixed = formatsOf(layers).size > 1;
    const pairs = layers.some(layer => (layer[2] + layer[3]).includes('+'));  // "int4+int8"
    const bar = (values, fill, order) => ({data: values, backgroundColor: fill, grouped: false,
        barPercentage: 0.8, categoryPercentage: 1, borderRadius: 2, order});
    draw(id, {
      type: 'bar',
      data: {labels: all.map(i => 'layer ' + (i + 1)), datasets: [
        bar(all.map(i => -share(layers, 0)(i)), colour('--heads'), 1),
        bar(all.map(share(layers, 1)), colour('--columns'), 1),
        bar(all.map(i => -share(dense, 0)(i)), colour('--ghost'), 2),
        bar(all.map(share(dense, 1)), colour('--ghost'), 2),
      ]},
      options: {
        indexAxis: 'y', layers,
        scales: {
          // Room for the numbers; more where each has its format.
          x: {min: pairs ? -2.2 : mixed ? -1.75 : -1.4, max: pairs ? 2.4 : mixed ? 1.95 : 1.6, display: false},
          y: {grid: {display: false, drawBorder: false}, ticks: {autoSkip: false}},
        },
        plugins: {legend: {display: false}, tooltip: {
          filter: item => item.datasetIndex < 2,
          callbacks: {label: item => {
            const at = item.datasetIndex, now = layers[item.dataIndex], was = dense[item.dataIndex];
            return `${now[at]} of ${was?.[at] ?? now[at]} ${at ? 'columns' : 'heads'} ${now[at + 2]}`;
          }},
        }},
      },
      plugins: [counts],
    });
  }

  function operations(id, relative) {
    const names = [...new Set(models.flatMap(model => model.operations.map(o => o[0])))];
    const time = (model, name) => model.operations.find(o => o[0] === name)?.[1] ?? 0;
    const total = model => model.operations.reduce((sum, o) => sum + o[1], 0);
    const fill = name => colour('--op-' + name) || colour('--op-other');
    const timed = models.filter(model => total(model) > 0);
    draw(id, {
      type: 'bar',
      data: {labels: timed.map(model => model.name), datasets: names.map(name => ({
        label: name, backgroundColor: fill(name), borderColor: colour('--panel'), borderWidth: 0.5,
        barPercentage: 0.75, categoryPercentage: 1,
        data: timed.map(m => relative ? 100 * time(m, name) / total(m) : time(m, name)),
      }))},
      options: {
        indexAxis: 'y',
        scales: {
          x: {stacked: true, max: relative ? 100 : undefined, grid: {color: colour('--line')},
              ticks: {maxRotation: 0, callback: v => round(v, 3) + (relative ? ' %' : ' ms')}},
          y: {stacked: true, grid: {display: false}},
        },
        plugins: {legend: {display: false}, tooltip: {callbacks: {
          label: item => `${item.dataset.label}: ${round(item.raw, 3)}${relative ? ' %' : ' ms'}`,
        }}},
      },
    });
    const legend = document.getElementById('oplegend');
    if (!legend) return;
    legend.replaceChildren(...names.map(name => {
      const entry = document.createElement('span'), swatch = document.createElement('i');
      swatch.style.background = fill(name);
      entry.append(swatch, name);
      return entry;
    }));
  }

  function search() {
    const tried = data.points.filter(p => p.stage === 'search' && p.loss !== null);
    const names = [...new Set(tried.map(p => p.rung))];
    const datasets = names.flatMap((name, index) => {
      let best = Infinity;
      const own = tried.filter(p => p.rung === name).map((p, i) => ({x: i + 1, y: p.loss, ms: p.ms}));
      const line = own.map(p => ({x: p.x, y: (best = Math.min(best, p.y))}));
      return [
        {label: name || 'candidates', data: line, showLine: true, stepped: 'before', pointRadius: 0,
         pointHitRadius: 0, borderColor: rungColour(index), backgroundColor: rungColour(index),
         borderWidth: 2, order: 1},
        {label: '', data: own, pointRadius: 2.5, backgroundColor: rungColour(index) + '77',
         borderWidth: 0, order: 2},
      ];
    });
    const losses = tried.map(p => p.y ?? p.loss).sort((a, b) => a - b);
    if (!losses.length) return;
    // A few hopeless candidates would press all others into a line.
    const ceiling = Math.min(losses[losses.length - 1], 3 * losses[Math.floor(losses.length * 0.9)]);
    draw('search', {
      type: 'scatter', data: {datasets},
      options: {
        scales: {
          x: {min: 0, title: {display: true, text: 'candidate'}, grid: {color: colour('--line')}},
          y: {min: 0, max: ceiling * 1.05, title: {display: true, text: 'calibration loss'},
              ticks: {includeBounds: false, callback: value => round(value, 3)},
              grid: {color: colour('--line')}},
        },
        plugins: {
          legend: {position: 'bottom', labels: {boxHeight: 1, boxWidth: 20,
                   filter: item => item.text !== ''}},
          tooltip: {callbacks: {label: item =>
              `${item.raw.x}: loss ${round(item.raw.y, 4)}` +
              (item.raw.ms ? ` at ${round(item.raw.ms, 3)} ms` : '')}},
        },
      },
    });
  }

  function drawAll() {
    while (charts.length) charts.pop().destroy();
    Object.assign(Chart.defaults, {animation: false, responsive: true, maintainAspectRatio: false,
                                   color: colour('--soft'), borderColor: colour('--line'),
                                   devicePixelRatio: Math.max(2, window.devicePixelRatio)});
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    tradeOff('latency', 'ms', 'latency, p50', 'ms');
    tradeOff('size', 'mb', 'size of the weights', 'MB');
    data.rungs.forEach((rung, index) => shape('shape' + index, rung));
    operations('operations', false);
    operations('shares', true);
    search();
  }

  const onPaper = on => {
    document.documentElement.classList.toggle('paper', on);
    drawAll();
  };
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
  addEventListener('beforeprint', () => onPaper(true));
  addEventListener('afterprint', () => onPaper(false));
  drawAll();
})();

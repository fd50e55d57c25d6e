// Sorting, filtering and copying for the report's tables, and its charts. Everything works on the
// page itself; nothing is fetched.
(function () {
  'use strict';

  const table = document.getElementById('results');
  const body = table.tBodies[0];

  function cellKey(row, index) {
    const cell = row.cells[index];
    if (cell.classList.contains('num')) {
      return cell.dataset.value === undefined ? null : Number(cell.dataset.value);
    }
    return cell.textContent;
  }

  // Rows without a figure stay at the end, whichever way the column is sorted.
  function compareRows(index, direction) {
    return function (a, b) {
      const left = cellKey(a, index);
      const right = cellKey(b, index);
      if (left === null || right === null) return (left === null) - (right === null);
      if (typeof left === 'number') return direction * (left - right);
      return direction * left.localeCompare(right, 'en', { numeric: true });
    };
  }

  function sortBy(heading) {
    const ascending = heading.getAttribute('aria-sort') !== 'ascending';
    for (const other of heading.parentNode.cells) other.setAttribute('aria-sort', 'none');
    heading.setAttribute('aria-sort', ascending ? 'ascending' : 'descending');
    const rows = Array.from(body.rows).sort(compareRows(heading.cellIndex, ascending ? 1 : -1));
    body.append(...rows);
  }

  for (const heading of table.tHead.rows[0].cells) {
    heading.querySelector('button').addEventListener('click', () => sortBy(heading));
  }

  // Every word of the filter must occur in the row's model, board or verdict.
  const filter = document.getElementById('filter');
  filter.addEventListener('input', () => {
    const words = filter.value.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const row of body.rows) {
      const named = Array.from(row.cells).filter((cell) => !cell.classList.contains('num'));
      const text = named.map((cell) => cell.textContent).join(' ').toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      if (!row.hidden) shown += 1;
    }
    document.getElementById('no-match').hidden = shown > 0;
  });

  const allColumns = document.getElementById('all-columns');
  const showColumns = () => table.classList.toggle('wide', allColumns.checked);
  allColumns.addEventListener('change', showColumns);
  showColumns();

  // A link from the table opens the record it leads to.
  function openTarget() {
    const target = location.hash ? document.getElementById(location.hash.slice(1)) : null;
    if (target && target.tagName === 'DETAILS') target.open = true;
  }
  window.addEventListener('hashchange', openTarget);
  openTarget();

  function selectText(element) {
    const range = document.createRange();
    range.selectNodeContents(element);
    const selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  }

  async function copyCommand(button) {
    const code = button.parentNode.querySelector('code');
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = 'Copied';
    } catch (refused) {
      selectText(code);
      button.textContent = 'Selected';
    }
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  }
  for (const button of document.querySelectorAll('.copy')) {
    button.addEventListener('click', () => copyCommand(button));
  }

  // Charts. Colours of Okabe and Ito's set, which colour-blind readers can tell apart; every series
  // has its own point shape as well.
  const palette = {
    light: ['#0072b2', '#c04f00', '#00805c', '#a8487f', '#8a6a00', '#2f7fb0'],
    dark: ['#56b4e9', '#ff9d5c', '#33c49a', '#e39ac0', '#e8c34a', '#9fd0f0'],
  };
  const shapes = ['circle', 'rectRot', 'triangle', 'rect', 'star', 'crossRot'];
  const darkQuery = window.matchMedia('(prefers-color-scheme: dark)');
  let printing = false;

  function theme() {
    const dark = darkQuery.matches && !printing;
    return {
      series: dark ? palette.dark : palette.light,
      ink: dark ? '#e4e6e9' : '#20242a',
      quiet: dark ? '#9ea6b0' : '#5d6570',
      line: dark ? '#2d333b' : '#e9e5dc',
      paper: dark ? '#15181c' : '#fcfbf8',
    };
  }

  function overlaps(a, b) {
    return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  }

  function drawWhisker(chart, point, raw, color) {
    if (raw.half === undefined) return;
    const context = chart.ctx;
    const ends = [raw.y - raw.half, raw.y + raw.half].map((y) => chart.scales.y.getPixelForValue(y));
    context.strokeStyle = color;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(point.x, ends[0]);
    context.lineTo(point.x, ends[1]);
    for (const end of ends) {
      context.moveTo(point.x - 4, end);
      context.lineTo(point.x + 4, end);
    }
    context.stroke();
  }

  // Where a label may stand beside its point, best place first.
  function labelPlaces(point, width, height) {
    const gap = 9;
    const middle = point.y - height / 2;
    const left = point.x - width / 2;
    return [
      [point.x + gap, middle], [point.x - gap - width, middle],
      [left, point.y - gap - height], [left, point.y + gap],
      [point.x + gap, middle - height], [point.x + gap, middle + height],
      [point.x - gap - width, middle - height], [point.x - gap - width, middle + height],
    ].map(([x, y]) => ({ left: x, top: y, right: x + width, bottom: y + height }));
  }

  // Points of two boards often coincide: one label then stands for both.
  function drawLabel(chart, point, text, taken) {
    if (taken.some((box) => box.text === text && Math.hypot(box.x - point.x, box.y - point.y) < 40)) return;
    const context = chart.ctx;
    const height = 14;
    const width = context.measureText(text).width;
    const area = chart.chartArea;
    const place = labelPlaces(point, width, height).find((box) =>
      box.left >= area.left && box.right <= area.right && box.top >= area.top &&
      box.bottom <= area.bottom && !taken.some((other) => overlaps(box, other)));
    if (!place) return;
    taken.push(Object.assign(place, { text, x: point.x, y: point.y }));
    context.fillText(text, place.left, place.top + height / 2);
  }

  // The accuracy of the model that the students learned from, as a line across the chart.
  function drawTeacher(chart, height, colors, taken) {
    if (height === undefined) return;
    const context = chart.ctx;
    const area = chart.chartArea;
    const y = chart.scales.y.getPixelForValue(height);
    context.save();
    context.strokeStyle = colors.quiet;
    context.lineWidth = 1;
    context.setLineDash([5, 4]);
    context.beginPath();
    context.moveTo(area.left, y);
    context.lineTo(area.right, y);
    context.stroke();
    context.restore();
    const text = 'teacher, float';
    const box = { left: area.left + 8, top: y - 16, right: area.left + 8 + context.measureText(text).width, bottom: y - 2 };
    context.fillStyle = colors.quiet;
    context.fillText(text, box.left, y - 8);
    taken.push(box, { left: area.left, top: y - 1, right: area.right, bottom: y + 1 });
  }

  // Writes each point's label beside it where there is room; the tooltip always has it.
  const pointLabels = {
    id: 'pointLabels',
    afterDatasetsDraw(chart) {
      const colors = theme();
      const context = chart.ctx;
      context.save();
      context.font = '11.5px system-ui, "Noto Sans", "DejaVu Sans", sans-serif';
      context.textBaseline = 'middle';
      const points = chart.data.datasets.flatMap((set, index) =>
        chart.isDatasetVisible(index)
          ? chart.getDatasetMeta(index).data.map((point, at) => ({ point, raw: set.data[at], color: set.borderColor }))
          : []);
      const taken = points.map(({ point }) =>
        ({ left: point.x - 6, right: point.x + 6, top: point.y - 6, bottom: point.y + 6 }));
      drawTeacher(chart, chart.options.teacher, colors, taken);
      for (const { point, raw, color } of points) {
        drawWhisker(chart, point, raw, color);
        context.fillStyle = colors.quiet;
        drawLabel(chart, point, raw.label, taken);
      }
      context.restore();
    },
  };

  function formatted(value, axis) {
    return value.toLocaleString('en', { maximumFractionDigits: axis.decimals }).replace(/,/g, '\u202f');
  }

  // 1, 2 and 5 of each decade that the axis covers; of many decades only the 1.
  function setLogTicks(scale) {
    const leads = scale.max / scale.min > 2000 ? [1] : [1, 2, 5];
    scale.ticks = [];
    for (let decade = Math.floor(Math.log10(scale.min)); decade <= Math.log10(scale.max); decade += 1) {
      for (const lead of leads) {
        const value = lead * Math.pow(10, decade);
        if (value >= scale.min && value <= scale.max) scale.ticks.push({ value });
      }
    }
  }

  function axisOptions(axis, colors, grow) {
    return {
      type: 'linear',
      grace: grow,
      title: { display: true, text: axis.title, color: colors.quiet },
      ticks: { color: colors.quiet, callback: (value) => formatted(value, axis), maxRotation: 0, autoSkipPadding: 16 },
      grid: { color: colors.line, borderColor: colors.line, tickLength: 4 },
    };
  }

  // The room beside the points must not make shares below nothing, or above all.
  function keepShares(scale) {
    scale.min = Math.max(scale.min, 0);
    scale.max = Math.min(scale.max, 100);
  }

  // A logarithmic axis has no grace of its own: leave room for points and labels on both sides.
  function acrossOptions(chart, colors) {
    const options = axisOptions(chart.x, colors, '18%');
    if (chart.x.share) options.afterDataLimits = keepShares;
    if (!chart.x.log) return options;
    const values = chart.series.flatMap((one) => one.points.map((point) => point.x));
    options.ticks.autoSkip = false;
    return Object.assign(options, {
      type: 'logarithmic',
      min: Math.min(...values) / 1.6,
      max: Math.max(...values) * 1.9,
      afterBuildTicks: setLogTicks,
    });
  }

  // Room for the whole intervals and the teacher.
  function upOptions(chart, colors) {
    const points = chart.series.flatMap((one) => one.points);
    const teacher = chart.teacher === undefined ? [] : [chart.teacher];
    return Object.assign(axisOptions(chart.y, colors, '8%'), {
      suggestedMin: Math.min(...teacher, ...points.map((point) => point.y - (point.half || 0))),
      suggestedMax: Math.max(...teacher, ...points.map((point) => point.y + (point.half || 0))),
    });
  }

  function tooltipLines(chart) {
    return function (item) {
      const raw = item.raw;
      const interval = raw.half === undefined ? '' : ' ± ' + formatted(raw.half, chart.y);
      return [raw.label + ', ' + item.dataset.label,
        chart.x.title + ': ' + formatted(raw.x, chart.x),
        chart.y.title + ': ' + formatted(raw.y, chart.y) + interval];
    };
  }

  function datasets(chart, colors) {
    return chart.series.map((one, index) => ({
      label: one.name,
      data: one.points,
      pointStyle: shapes[index % shapes.length],
      radius: 5.5,
      hoverRadius: 8,
      borderWidth: 2,
      borderColor: colors.series[index % colors.series.length],
      backgroundColor: colors.series[index % colors.series.length] + '30',  // nearly hollow, so that coinciding points both show
    }));
  }

  function chartOptions(chart, colors) {
    return {
      teacher: chart.teacher,
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      scales: {
        x: acrossOptions(chart, colors),
        y: upOptions(chart, colors),
      },
      plugins: {
        legend: { position: 'top', align: 'start', labels: { color: colors.ink, usePointStyle: true, boxHeight: 8, padding: 16 } },
        tooltip: { displayColors: false, callbacks: { title: () => '', label: tooltipLines(chart) } },
      },
    };
  }

  const drawn = [];
  for (const chart of JSON.parse(document.getElementById('charts').textContent)) {
    const colors = theme();
    const canvas = document.getElementById(chart.id);
    drawn.push({
      chart,
      view: new Chart(canvas, {
        type: 'scatter',
        data: { datasets: datasets(chart, colors) },
        options: chartOptions(chart, colors),
        plugins: [pointLabels],
      }),
    });
  }

  function redraw() {
    const colors = theme();
    for (const { chart, view } of drawn) {
      view.options = chartOptions(chart, colors);
      datasets(chart, colors).forEach((set, index) => Object.assign(view.data.datasets[index], set));
      view.resize();
      view.update('none');
    }
  }
  darkQuery.addEventListener('change', redraw);
  window.addEventListener('beforeprint', () => { printing = true; redraw(); });
  window.addEventListener('afterprint', () => { printing = false; redraw(); });
})();

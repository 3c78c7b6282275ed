//! Plots as SVG whose colours are the page's: readable in light and dark.

use super::overall::Latency;
use super::sum::Sum;
use super::walk::SHARES;
use crate::error::{Error, Result};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

/// Stands for the text's colour until the drawing is done.
const INK: RGBColor = RGBColor(1, 2, 3);
const FAINT: RGBColor = RGBColor(1, 2, 4);
const SIZE: (u32, u32) = (560, 320);

/// Stands for the page's colour of this number.
fn paint(n: usize) -> RGBColor {
    RGBColor(2, 2, u8::try_from(n).unwrap_or(u8::MAX))
}

type Drawing = std::result::Result<(), Box<dyn std::error::Error>>;

fn svg(draw: impl FnOnce(&str, &mut String) -> Drawing, title: &str) -> Result<String> {
    let mut out = String::new();
    draw(title, &mut out)
        .map_err(|e| Error::failure("no_plot", format!("A plot cannot be drawn: {e}."), ""))?;
    let mut out = out
        .replace("#010203", "currentColor")
        .replace("#010204", "var(--faint)");
    for n in 0..8 {
        out = out.replace(&format!("#0202{n:02X}"), &format!("var(--c{n})"));
    }
    // The page gives the width.
    let size = format!("width=\"{}\" height=\"{}\" ", SIZE.0, SIZE.1);
    Ok(out.replacen(&size, "role=\"img\" ", 1))
}

/// Tokens of the steps of each kind, as recorded and through trimtab.
pub(super) fn kinds(sum: &Sum) -> Result<String> {
    let most = sum.kinds.iter().map(|k| k.recorded.max(k.ours)).max();
    let most = most.unwrap_or(1).max(1) as f64 / 1e3;
    svg(
        |title, out| {
            let root = SVGBackend::with_string(out, SIZE).into_drawing_area();
            let count = i32::try_from(sum.kinds.len())?;
            let mut chart = ChartBuilder::on(&root)
                .caption(title, ("sans-serif", 16, &INK))
                .margin(8)
                .x_label_area_size(32)
                .y_label_area_size(64)
                .build_cartesian_2d(0.0..f64::from(count), 0.0..most * 1.3)?;
            chart
                .configure_mesh()
                .disable_x_mesh()
                .bold_line_style(FAINT)
                .light_line_style(TRANSPARENT)
                .axis_style(INK)
                .x_labels(0)
                .y_desc("thousand tokens")
                .label_style(("sans-serif", 12, &INK))
                .draw()?;
            for (side, name) in [(0usize, "as recorded"), (1, "through trimtab")] {
                let bars = sum.kinds.iter().enumerate().map(|(n, k)| {
                    let tokens = if side == 0 { k.recorded } else { k.ours } as f64 / 1e3;
                    let left = n as f64 + 0.14 + 0.36 * side as f64;
                    Rectangle::new([(left, 0.0), (left + 0.34, tokens)], paint(side).filled())
                });
                chart.draw_series(bars)?.label(name).legend(move |(x, y)| {
                    Rectangle::new([(x, y - 5), (x + 14, y + 5)], paint(side).filled())
                });
            }
            let text = TextStyle::from(("sans-serif", 12).into_font()).color(&INK);
            let (area, dims) = (chart.plotting_area(), chart.plotting_area().dim_in_pixel());
            let (left, bottom) = area.get_base_pixel();
            for (n, k) in sum.kinds.iter().enumerate() {
                let step = dims.0 as f64 / f64::from(count);
                let x = left + (step * (n as f64 + 0.22)) as i32;
                let y = bottom + i32::try_from(dims.1)? + 8;
                root.draw(&Text::new(k.kind.name(), (x, y), text.clone()))?;
            }
            legend(&mut chart, SeriesLabelPosition::UpperRight)?;
            root.present()?;
            Ok(())
        },
        "Tokens by kind of step",
    )
}

fn legend<'a, DB>(
    chart: &mut ChartContext<'a, DB, Cartesian2d<RangedCoordf64, RangedCoordf64>>,
    position: SeriesLabelPosition,
) -> Drawing
where
    DB: DrawingBackend + 'a,
    DB::ErrorType: 'static,
{
    chart
        .configure_series_labels()
        .position(position)
        .label_font(("sans-serif", 12, &INK))
        .border_style(TRANSPARENT)
        .background_style(TRANSPARENT)
        .draw()?;
    Ok(())
}

/// Curves of the ways of showing a file over the share of its tokens.
pub(super) fn curves(sum: &Sum, recall: bool) -> Result<String> {
    let title = if recall {
        "Needed lines shown, by tokens"
    } else {
        "Reads with all needed lines shown, by budget"
    };
    svg(
        |title, out| {
            let root = SVGBackend::with_string(out, SIZE).into_drawing_area();
            let mut chart = ChartBuilder::on(&root)
                .caption(title, ("sans-serif", 16, &INK))
                .margin(8)
                .x_label_area_size(40)
                .y_label_area_size(56)
                .build_cartesian_2d(0.0..112.0, 0.0..104.0)?;
            chart
                .configure_mesh()
                .bold_line_style(FAINT)
                .light_line_style(TRANSPARENT)
                .axis_style(INK)
                .x_desc("budget, % of the file's tokens")
                .y_desc("%")
                .label_style(("sans-serif", 12, &INK))
                .draw()?;
            for (n, arm) in sum.arms.iter().enumerate() {
                let values = if recall { &arm.recall } else { &arm.complete };
                let points: Vec<(f64, f64)> = SHARES
                    .iter()
                    .zip(values)
                    .map(|(s, v)| (*s as f64, 100.0 * v))
                    .collect();
                let width = if n == 0 { 3 } else { 1 };
                chart
                    .draw_series(LineSeries::new(points, paint(n + 1).stroke_width(width)))?
                    .label(arm.name)
                    .legend(move |(x, y)| {
                        PathElement::new([(x, y), (x + 14, y)], paint(n + 1).stroke_width(3))
                    });
            }
            legend(&mut chart, SeriesLabelPosition::MiddleRight)?;
            root.present()?;
            Ok(())
        },
        title,
    )
}

/// Time of a search over the size of what is searched.
pub(super) fn latency(points: &[Latency]) -> Result<String> {
    let x = points
        .iter()
        .map(|l| l.bytes as f64 / 1e6)
        .fold(0.1, f64::max);
    let y = points.iter().map(|l| l.milliseconds).fold(1.0, f64::max);
    svg(
        |title, out| {
            let root = SVGBackend::with_string(out, SIZE).into_drawing_area();
            let mut chart = ChartBuilder::on(&root)
                .caption(title, ("sans-serif", 16, &INK))
                .margin(8)
                .x_label_area_size(40)
                .y_label_area_size(56)
                .build_cartesian_2d(0.0..x * 1.05, 0.0..y * 1.1)?;
            chart
                .configure_mesh()
                .bold_line_style(FAINT)
                .light_line_style(TRANSPARENT)
                .axis_style(INK)
                .x_desc("MB searched")
                .y_desc("ms")
                .label_style(("sans-serif", 12, &INK))
                .draw()?;
            let at = || {
                points
                    .iter()
                    .map(|l| (l.bytes as f64 / 1e6, l.milliseconds))
            };
            chart.draw_series(LineSeries::new(at(), paint(1).stroke_width(2)))?;
            chart.draw_series(at().map(|p| Circle::new(p, 4, paint(1).filled())))?;
            root.present()?;
            Ok(())
        },
        "Search without an index, by size of the tree",
    )
}

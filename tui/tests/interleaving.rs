//! Random interleavings of keys and news: whatever is sent is what its question showed.
//!
//! Each run draws its own steps from a seed that a failure prints. In `cargo test` it is short; the
//! long run is `BANYAN_INTERLEAVINGS=10000000 cargo test --release -p tui --test console -- --nocapture interleavings`.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tui::act::Pinned;
use tui::effect::Effect;
use tui::model::Overlay;
use tui::model::Settings;
use tui::model::dialog::{GUARD, Stage};
use tui::msg::{Key, Live, Mouse, Msg, Pointing};

use crate::console::{Console, settings};
use crate::gateway::{ACME, ACME_BERLIN, BEANHOUSE, Gateway, QUINN, TAX};

/// Interleavings of one run of `cargo test`.
const SHORT: u64 = 400;
/// Steps of one interleaving.
const STEPS: usize = 12;
/// After so many, a fresh console, so that the world does not fill with keys and suspensions.
const PER_CONSOLE: u64 = 100;
const LIVE: [&str; 5] = [QUINN, ACME, ACME_BERLIN, BEANHOUSE, TAX];

/// What a question showed: its targets, and the words of each act.
#[derive(Clone, Debug, PartialEq)]
struct Shown {
    targets: Vec<Pinned>,
    bodies: Vec<String>,
}

fn shown(console: &Console) -> Option<Shown> {
    let Overlay::Dialog(dialog) = &console.model.overlay else { return None };
    let (Stage::Confirming { acts } | Stage::Sending { acts, .. } | Stage::Unknown { acts, .. }) = &dialog.stage else {
        return None;
    };
    Some(Shown {
        targets: acts.iter().map(|act| act.target.clone()).collect(),
        bodies: acts.iter().map(|act| act.request.body.to_string()).collect(),
    })
}

fn key(random: &mut SmallRng) -> Key {
    const LETTERS: &[u8] = b"sutamenxpidOKWLPDECT/ .ofz*Z:yrj1";
    match random.random_range(0..10) {
        0..=3 => [Key::Enter, Key::Tab, Key::Down, Key::Up][random.random_range(0..4)],
        4 => [Key::Esc, Key::Left, Key::Right, Key::End, Key::Home][random.random_range(0..5)],
        _ => Key::Char(char::from(LETTERS[random.random_range(0..LETTERS.len())])),
    }
}

/// Something happens elsewhere, or a key is pressed here.
fn step(console: &mut Console, random: &mut SmallRng) -> Vec<Effect> {
    let organization = LIVE[random.random_range(0..LIVE.len())];
    match random.random_range(0..20) {
        0 => {
            console.gateway.charge(organization, 1, "");
            if console.streams.is_empty() {
                return Vec::new();
            }
            let wallet = console.wallet(organization);
            console.tell(Msg::Live(Live::Wallets(vec![wallet])))
        }
        1 => {
            console.gateway.find_mut(organization).name = format!("Renamed {}", random.random_range(0..9));
            console.happens("organization.updated", organization)
        }
        2 => {
            console.gateway.organizations.rotate_left(1);
            console.happens("organization.created", organization)
        }
        3 => {
            console.gateway.keys.rotate_left(1);
            console.happens("api_key.created", organization)
        }
        4 => console.tell(Msg::Live(Live::Lagged)),
        5 => {
            console.wait(GUARD);
            Vec::new()
        }
        // Straight through a dialog, as somebody in a hurry would.
        6..=8 => {
            console.wait(GUARD);
            console.type_text("7");
            console.press(&[Key::Enter])
        }
        9..=10 => {
            console.wait(GUARD);
            console.press(&[Key::Tab, Key::Enter])
        }
        11..=12 => {
            let asks = ['s', 'u', 't', 'm', 'e', '+', 'n', 'x'][random.random_range(0..8)];
            console.press(&[Key::Char(asks)])
        }
        // Wherever the mouse goes, and it is drawn there first.
        13 => {
            // A frame costs more than all the rest; what was drawn last is pointed at until the next.
            if random.random_range(0..16) == 0 {
                console.look(100, 30);
            }
            let does = [Pointing::Pressed, Pointing::WheelDown, Pointing::WheelUp][random.random_range(0..3)];
            let mouse = Mouse { does, column: random.random_range(0..100), row: random.random_range(0..30) };
            let effects = console.tell(Msg::Mouse(mouse));
            let acts = effects.iter().any(|effect| matches!(effect, Effect::Act { .. }));
            assert!(!acts, "a click acted: {effects:?}");
            effects
        }
        _ => {
            let key = key(random);
            console.press(&[key])
        }
    }
}

#[test]
fn in_random_interleavings_no_act_differs_from_what_its_question_showed() {
    let wanted = std::env::var("BANYAN_INTERLEAVINGS").ok().and_then(|count| count.parse().ok()).unwrap_or(SHORT);
    let seed: u64 = std::env::var("BANYAN_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    let (mut done, mut acts, mut questions) = (0_u64, 0_u64, 0_u64);
    while done < wanted {
        let mut random = SmallRng::seed_from_u64(seed.wrapping_add(done));
        let mut console = Console::with(Settings { mouse: true, ..settings() }, Gateway::new());
        console.press(&[Key::Enter]);
        for _ in 0..PER_CONSOLE.min(wanted - done) {
            // Each begins with nothing open, and where the one before went.
            console.wait(GUARD);
            console.press(&[Key::Esc]);
            console.wait(GUARD);
            console.press(&[Key::Esc]);
            for _ in 0..STEPS {
                let before = shown(&console);
                let effects = step(&mut console, &mut random);
                for effect in effects {
                    let Effect::Act { act, .. } = effect else { continue };
                    acts += 1;
                    let Some(question) = &before else {
                        panic!("seed {seed}, interleaving {done}: an act without its question: {act:?}")
                    };
                    let at = question.targets.iter().position(|target| *target == act.target);
                    let at = at.unwrap_or_else(|| panic!("seed {seed}, interleaving {done}: {act:?} of {question:?}"));
                    assert_eq!(act.request.body.to_string(), question.bodies[at], "seed {seed}, interleaving {done}");
                    let input = act.request.body["variables"]["input"].to_string();
                    assert!(input.contains(&act.target.id), "seed {seed}: {input} without {}", act.target.id);
                }
                let after = shown(&console);
                questions += u64::from(before.is_none() && after.is_some());
                if let (Some(before), Some(after)) = (&before, &after) {
                    assert_eq!(before.targets, after.targets, "seed {seed}, interleaving {done}: a question changed");
                }
            }
            console.effects.clear();
            done += 1;
        }
    }
    println!("seed {seed}: {done} interleavings of {STEPS} steps, {questions} questions, {acts} acts, 0 differ");
    assert!(acts > 0 && questions > 0, "the run asked and did nothing");
}

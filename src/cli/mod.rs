//! tmp
use crate::model::relations::*;
use crate::pasta::*;
#[allow(missing_docs)]
pub fn tmp() {
    let a: Vec<String> = std::env::args().collect();
    let t = std::time::Instant::now();
    let (x, y) = std::thread::scope(|s| {
        let h = s.spawn(|| GroupFile::read(a[1].as_ref(), Dialect::Tokens, Ending::Open).unwrap());
        let y = GroupFile::read(a[2].as_ref(), Dialect::Tokens, Ending::Open).unwrap();
        (h.join().unwrap(), y)
    });
    eprintln!("read {:?}", t.elapsed());
    let (u, c, d) = compare_files(&x, &y);
    eprintln!("intern {:?}", t.elapsed());
    let attach_limit = AttachLimit::Ids(std::num::NonZeroU32::new(1000).unwrap());
    let p = plan(Change {
        universe: &u,
        current: &c,
        desired: &d,
        attach_limit,
    });
    eprintln!("plan {:?} {} {}", t.elapsed(), p.writes(), p.clears());
    let none = Default::default();
    checker::check(
        &p,
        &checker::Terms {
            current: &c,
            target: &d,
            held: &none,
            policy: None,
            attach_limit,
            max_relation_size: None,
        },
    )
    .unwrap();
    eprintln!("check {:?}", t.elapsed());
    use std::io::Write;
    let mut o = std::io::BufWriter::with_capacity(1 << 18, std::io::stdout().lock());
    for s in p.steps() {
        match s.operation {
            Operation::Clear(_) => writeln!(o, "{{\"op\":\"clear\",\"patch\":{}}}", u.token(s.patch)).unwrap(),
            Operation::Relate(r, _) => {
                write!(o, "relate {}", u.token(s.patch)).unwrap();
                for e in r {
                    write!(o, " {}", u.token(*e)).unwrap()
                }
                writeln!(o).unwrap();
            }
        }
    }
    eprintln!("print {:?}", t.elapsed());
}

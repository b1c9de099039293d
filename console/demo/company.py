"""Who and what the demo company is. The names are invented."""

from __future__ import annotations

from dataclasses import dataclass

SITES = ("한빛마을 3단지", "푸른숲 타워", "서초 오피스센터", "해운대 마리나")


@dataclass(frozen=True)
class DemoPerson:
    """One of the eight; without sites they work for all of them."""

    username: str
    display_name: str
    role: str
    sites: tuple[str, ...] = ()


OWNER = DemoPerson("demo.kim", "김도현", "owner")
MANAGER = DemoPerson("demo.park", "박선영", "manager")
EAST = DemoPerson("demo.yoon", "윤재호", "manager", (SITES[2], SITES[3]))
PLATFORM = DemoPerson("demo.choi", "최민석", "operator")
ELECTRIC = DemoPerson("demo.lee", "이정훈", "operator", (SITES[0], SITES[1]))
PUMPS = DemoPerson("demo.jung", "정상우", "operator", (SITES[2], SITES[3]))
NIGHT = DemoPerson("demo.kang", "강태식", "operator", (SITES[0],))
AUDITOR = DemoPerson("demo.han", "한지수", "auditor")

PEOPLE = (OWNER, MANAGER, EAST, PLATFORM, ELECTRIC, PUMPS, NIGHT, AUDITOR)


@dataclass(frozen=True)
class DemoWork:
    """One thing that had to be done at a site: when it was found, and how it went on.

    Hours count from the discovery, `days_ago` from today; None never happened. `stuck` is why it waits.
    """

    title: str
    site: str
    days_ago: float
    sla_hours: int
    owner_role: str = "Ops Lead"
    who: DemoPerson | None = None
    assigned_after: float = 1
    started_after: float | None = None
    done_after: float | None = None
    stuck: str = ""
    note: str = ""
    priority: int = 4
    required: bool = False


WORK = (
    DemoWork(
        "변전실 2호 변압기 절연저항 0.4 MΩ 원인 조사",
        SITES[0],
        1.2,
        24,
        who=ELECTRIC,
        started_after=3,
        priority=1,
        required=True,
        note="3상 중 S상만 낮습니다. 케이블 단말을 다시 측정합니다.",
    ),
    DemoWork("지하 1층 집수정 펌프 누수 보수", SITES[2], 0.7, 24, who=PUMPS, started_after=2, priority=3),
    DemoWork("화재 수신기 감지기 회로 단선 확인", SITES[1], 0.4, 8, priority=1, required=True),
    DemoWork(
        "승강기 3호기 정기검사 지적사항 조치",
        SITES[3],
        3.5,
        72,
        who=PUMPS,
        started_after=20,
        stuck="부품 입고 대기",
        priority=3,
    ),
    DemoWork("옥상 고가수조 수위 센서 교체", SITES[0], 2.1, 72, who=NIGHT, assigned_after=5),
    DemoWork("주차장 CO 센서 경보값 재설정", SITES[1], 0.2, 24),
    DemoWork(
        "비상발전기 무부하 운전 기록 보완",
        SITES[2],
        5.0,
        96,
        who=PUMPS,
        started_after=30,
        done_after=90,
        note="시험 성적서를 보관함에 넣었습니다.",
    ),
    DemoWork("기계실 배수 트렌치 청소", SITES[3], 6.0, 48, who=PUMPS, started_after=5, done_after=26),
    DemoWork("저층부 급수 감압밸브 압력 조정", SITES[0], 8.0, 48, who=ELECTRIC, started_after=4, done_after=20),
    DemoWork("방재실 CCTV 2번 화면 복구", SITES[1], 9.5, 24, who=ELECTRIC, started_after=2, done_after=7),
    DemoWork("공용 화장실 배기팬 소음 조치", SITES[2], 11.0, 72, who=PUMPS, started_after=12, done_after=50),
    DemoWork("외벽 조명 타이머 계절 조정", SITES[3], 12.5, 72, who=PUMPS, started_after=8, done_after=30),
    DemoWork("수변전 일지 누락분 보완", SITES[0], 14.0, 24, who=NIGHT, started_after=3, done_after=15),
    DemoWork("보일러 안전밸브 분출 시험", SITES[1], 17.0, 96, who=ELECTRIC, started_after=10, done_after=60),
    DemoWork(
        "지하 2층 누전차단기 교체",
        SITES[2],
        20.0,
        24,
        who=PUMPS,
        started_after=1,
        done_after=9,
        priority=1,
        required=True,
    ),
    DemoWork("정화조 블로어 벨트 교체", SITES[0], 24.0, 72, who=ELECTRIC, started_after=6, done_after=33),
    DemoWork("유도등 점등 불량 4개소 교체", SITES[3], 27.0, 48, who=PUMPS, started_after=4, done_after=28),
    DemoWork("로비 회전문 센서 청소", SITES[1], 0.9, 24, who=ELECTRIC, started_after=2, done_after=16),
    DemoWork("냉각탑 살균제 투입량 점검", SITES[2], 2.4, 24, who=PUMPS, started_after=3, done_after=20),
    DemoWork("세대 인터폰 불통 3건 처리", SITES[0], 3.1, 48, who=NIGHT, started_after=4, done_after=30),
    DemoWork("전기차 충전기 2호 차단기 점검", SITES[3], 3.8, 24, who=PUMPS, started_after=1, done_after=9),
    DemoWork("옥상 피뢰침 접지저항 측정", SITES[1], 4.6, 48, who=ELECTRIC, started_after=6, done_after=31),
    DemoWork("지하주차장 배수펌프 교대 운전 설정", SITES[2], 5.7, 48, who=PUMPS, started_after=9, done_after=40),
    DemoWork("출입통제 리더기 오작동 수리", SITES[1], 31.0, 48, who=ELECTRIC, started_after=5, done_after=22),
)

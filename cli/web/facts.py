"""What is known of videos, moments and the index, from our own records into models."""

from __future__ import annotations

from dataclasses import asdict

from unify import __version__
from unify.cli.web import models
from unify.cli.web.library import Library, View
from unify.cli.web.media import mime_of
from unify.cli.web.words import ServedWords
from unify.engine.errors import UnifyError
from unify.engine.manifest import Video
from unify.engine.tracks import squeezed, video_tracks

_TOP_TERMS = 8


def video_facts(view: View, video: Video) -> models.VideoFacts:
    """Return a video."""
    shown = view.shown(video)
    return models.VideoFacts(
        video_id=video.id,
        video=shown,
        name=shown.rpartition("/")[2],
        duration_s=video.duration_s,
        recorded=video.recorded,
        mime=mime_of(shown),
        copies=len(video.copies),
    )


def moment_facts(view: View, moment: int) -> models.MomentFacts:
    """Return a moment, and what it shows most."""
    facts = view.backend.facts(moment)
    return models.MomentFacts(
        moment=moment,
        video_id=facts.video_id,
        video=facts.video,
        start_s=facts.start_s,
        end_s=facts.end_s,
        terms=view.strongest(moment, _TOP_TERMS),
    )


def video_lines(
    library: Library, video_id: int, wanted: list[str] | None, top: int, points: int
) -> models.VideoTracks:
    """Return when terms show in a video.

    Args:
        library: the index.
        video_id: the video.
        wanted: the terms; None takes the strongest.
        top: how many of the strongest.
        points: values of each line, at most.

    Raises:
        NoSuchVideo: there is no such video.
    """
    view = library.view()
    found = view.moments_of(video_id)
    chosen = wanted if wanted is not None else view.strongest_of(found, top)
    return models.VideoTracks(
        video_id=video_id,
        duration_s=view.video(video_id).duration_s,
        shows_at=view.shows,
        tracks=[
            models.Track(
                term=track.term,
                weights=[round(weight, 4) for weight in squeezed(track.weights, points)],
                shows=track.ranges(view.shows),
            )
            for track in video_tracks(view.backend, view.lexicon, found, chosen)
        ],
    )


def index_status(library: Library, words: ServedWords) -> models.Status:
    """Put together what the index says; without its journal, what that would tell is left out."""
    words.dictionary()
    view, building, problem = library.view(), library.building(), library.problem
    found = None
    try:
        found = library.status()
    except UnifyError as error:
        problem = problem or str(error)
    return models.Status(
        version=__version__,
        pack=view.backend.manifest.settings.pack,
        generation=view.generation,
        videos=len(view.newest),
        moments=view.backend.statistics().moments,
        video_s=found.video_s if found else None,
        size_bytes=found.size_bytes if found else None,
        pending=found.pending if found else None,
        failed=_troubles(found.failed) if found else [],
        damaged=_troubles(found.damaged) if found else [],
        missing=found.missing if found else [],
        building=models.Building(**asdict(building)) if building else None,
        problem=problem,
        words_problem=words.problem,
    )


def _troubles(rows: list[tuple[str, str]]) -> list[models.Trouble]:
    return [models.Trouble(video=path, reason=why) for path, why in rows]

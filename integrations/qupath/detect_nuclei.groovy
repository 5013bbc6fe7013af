/**
 * Nuclei of the open image, or of the selected annotations, by nucdet: they come as detections with class and score.
 * QuPath 0.5 and later, in the script editor (Automate > Script editor); "Run for project" goes through all images.
 *
 * An image that is a file is read by nucdet itself, whole slides included. What is none (a server's, a turned or cropped
 * view) is handed over as a picture of each selected annotation's surroundings.
 */

// What may be changed. Options of `nucdet detect --help`: ["--threshold", "0.4"], ["--device", "cuda"].
def program = System.getenv("NUCDET") ?: "nucdet"  // or its path: "/opt/nucdet/bin/nucdet"
def weights = ""                                   // a file of weights; empty: those that come along
def options = []
def margin = 160                                   // pixels of context around a picture that is handed over
def keep = false                                   // whether what nucdet found earlier in the same places stays

def server = getCurrentServer()
if (server == null)
    throw new IllegalStateException("nucdet: no image is open")
def chosen = getSelectedObjects().findAll { it.isAnnotation() && it.hasROI() && it.getROI().isArea() }
def folder = File.createTempDir("nucdet", "")

/** Runs nucdet; what it says goes to the log, and a failure is an error with its words. */
def run = { List<String> arguments ->
    def command = [program, "detect"] + arguments + ["--out", folder.path, "--geojson"] + options
    if (weights)
        command += ["--model", weights]
    println command.join(" ")
    def process = new ProcessBuilder(command.collect { it.toString() }).redirectErrorStream(true).start()
    process.outputStream.close()
    def said = new StringBuilder()
    process.inputStream.eachLine { line -> println line; said.append(line).append("\n") }
    if (process.waitFor() != 0)
        throw new RuntimeException("nucdet ended with " + process.exitValue() + ":\n" + said)
}

/** The image's file, or null: a file that is shown as it lies on the disk. A view of it has a type that only begins so,
 *  "OpenSlide (Rotate 90)", and is none. */
def fileOf = {
    def uris = server.getURIs()
    if (uris.size() != 1 || uris[0].scheme != "file")
        return null
    def plain = server.getServerType() in ["OpenSlide", "Bio-Formats", "ImageJ server", "ImageIO", "BufferedImage"]
    def file = new File(new URI("file", "", uris[0].path, null, null))
    return plain && file.exists() ? file : null
}

/** Refuses what nucdet read as an image of another size than is shown: another series, a turned photo. */
def checkSize = { File geojson ->
    def record = new File(geojson.path.replaceAll(/\.geojson$/, ".json"))
    def head = record.withReader { reader -> reader.lines().limit(200).toArray().join("\n") }  // nuclei come after it
    def size = ["width", "height"].collect { (head =~ /"$it": (\d+)/)[0][1] as int }
    if (size != [server.getWidth(), server.getHeight()])
        throw new IllegalStateException("nucdet: read an image of " + size.join(" x ") + " pixels, QuPath shows " +
            server.getWidth() + " x " + server.getHeight() + ": not the same picture")
}

def holds = { annotation, it -> annotation.getROI().contains(it.getROI().getCentroidX(), it.getROI().getCentroidY()) }

/** Brings in what a run found, as far as it is wanted. */
def bring = { File geojson, wanted ->
    def before = Collections.newSetFromMap(new IdentityHashMap())
    before.addAll(getDetectionObjects())
    importObjectsFromFile(geojson.path)
    removeObjects(getDetectionObjects().findAll { !before.contains(it) && !wanted(it) }, true)
}

try {
    def calibration = server.getPixelCalibration()
    if (calibration.hasPixelSizeMicrons())
        options += ["--mpp", calibration.getAveragedPixelSizeMicrons().toString()]
    def file = fileOf()
    if (file != null) {
        def arguments = [file.path]
        if (server.getServerType().toLowerCase().contains("openslide"))
            arguments += ["--origin", "bounds"]  // by OpenSlide QuPath cuts slides to what was scanned
        if (chosen) {
            def regions = chosen.collect { PathObjects.createAnnotationObject(it.getROI(), getPathClass("Region*")) }
            def areas = new File(folder, "areas.json").path
            exportObjectsToGeoJson(regions, areas, "FEATURE_COLLECTION")
            arguments += ["--areas", areas]
        }
        run(arguments)
    } else {
        if (!chosen)
            throw new IllegalStateException("nucdet: this image is no file that nucdet can open: select annotations")
        chosen.eachWithIndex { annotation, i ->
            def roi = annotation.getROI()
            int x = Math.max(0, Math.floor(roi.getBoundsX()) - margin), y = Math.max(0, Math.floor(roi.getBoundsY()) - margin)
            int right = Math.min(server.getWidth(), Math.ceil(roi.getBoundsX() + roi.getBoundsWidth()) + margin)
            int bottom = Math.min(server.getHeight(), Math.ceil(roi.getBoundsY() + roi.getBoundsHeight()) + margin)
            def picture = new File(folder, "part" + i + ".png").path
            writeImageRegion(server, RegionRequest.createInstance(server.getPath(), 1.0, x, y, right - x, bottom - y), picture)
            run([picture, "--offset", x + "," + y])
        }
    }
    def found = folder.listFiles().findAll { it.name.endsWith(".geojson") }
    if (file != null)
        found.each { checkSize(it) }

    def inside = { it -> !chosen || chosen.any { a -> holds(a, it) } }
    def ours = { it -> it.getROI().isPoint() && it.getMeasurementList().containsKey("score") }
    if (!keep)
        removeObjects(getDetectionObjects().findAll { ours(it) && inside(it) }, true)
    if (file != null)
        found.each { bring(it) { true } }
    else  // a picture's margin shows what belongs to no annotation, or to another one: each nucleus comes with the first that holds it
        chosen.eachWithIndex { annotation, i ->
            bring(new File(folder, "part" + i + ".geojson")) { it -> chosen.find { a -> holds(a, it) }?.is(annotation) }
        }
    fireHierarchyUpdate()
    println getDetectionObjects().size() + " detections in " + server.getMetadata().getName()
} finally {
    folder.deleteDir()
}
